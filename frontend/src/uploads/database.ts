/** The database of the queue. Small: every page opens it to find out whether uploads are left. */

const NAME = "uploads";
const VERSION = 1;

export type StoreName = "entries" | "bytes" | "handles";

/** Open the database, which is created by the first call. */
export function openDatabase(): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(NAME, VERSION);
    request.onupgradeneeded = () => {
      const entries = request.result.createObjectStore("entries", { keyPath: "id" });
      entries.createIndex("owner", "owner");
      // Apart from the entries, which are read and written often.
      request.result.createObjectStore("bytes");
      request.result.createObjectStore("handles");
    };
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error("IndexedDB is not available"));
    request.onblocked = () => reject(new Error("IndexedDB is blocked by another tab"));
  });
}

/** Return the result of a request. */
export function resultOf<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error("A request of IndexedDB failed"));
  });
}

/** Wait until everything in a transaction is stored. */
export function committed(transaction: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = () => reject(transaction.error ?? new Error("A transaction was aborted"));
    transaction.oncomplete = () => resolve();
    transaction.onerror = fail;
    transaction.onabort = fail;
  });
}

/** Return whether an account has files in the queue. */
export async function hasQueue(owner: string): Promise<boolean> {
  try {
    const database = await openDatabase();
    const entries = database.transaction("entries").objectStore("entries");
    const count = await resultOf(entries.index("owner").count(owner));
    database.close();
    return count > 0;
  } catch {
    return false; // Without storage, nothing can be left.
  }
}
