/** The indexes of the bounded caches, in IndexedDB. */
import type { Entry, EntryIndex } from "./bounded";
import { INDEX_DATABASE } from "./messages";

const STORES = ["images", "replies"] as const;

export class DatabaseIndex implements EntryIndex {
  constructor(private readonly store: (typeof STORES)[number]) {}

  async all(): Promise<Entry[]> {
    const database = await open();
    try {
      const request = database.transaction(this.store).objectStore(this.store).getAll();
      return await new Promise((resolve, reject) => {
        request.onsuccess = () => {
          resolve(request.result as Entry[]);
        };
        request.onerror = () => {
          reject(new Error("Reading the index failed.", { cause: request.error }));
        };
      });
    } finally {
      database.close();
    }
  }

  async put(entries: readonly Entry[]): Promise<void> {
    if (entries.length === 0) return;
    await this.change((store) => {
      for (const entry of entries) store.put(entry);
    });
  }

  async remove(keys: readonly string[]): Promise<void> {
    await this.change((store) => {
      for (const key of keys) store.delete(key);
    });
  }

  async clear(): Promise<void> {
    await this.change((store) => {
      store.clear();
    });
  }

  private async change(apply: (store: IDBObjectStore) => void): Promise<void> {
    const database = await open();
    try {
      const options = { durability: "relaxed" } as const;
      const transaction = database.transaction(this.store, "readwrite", options);
      apply(transaction.objectStore(this.store));
      await new Promise<void>((resolve, reject) => {
        transaction.oncomplete = () => {
          resolve();
        };
        transaction.onabort = () => {
          reject(new Error("Writing the index failed.", { cause: transaction.error }));
        };
      });
    } finally {
      database.close();
    }
  }
}

/** A connection for one transaction: an open one would keep pages from deleting the database. */
function open(): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(INDEX_DATABASE, 1);
    request.onupgradeneeded = () => {
      for (const name of STORES) request.result.createObjectStore(name, { keyPath: "key" });
    };
    request.onsuccess = () => {
      resolve(request.result);
    };
    request.onerror = () => {
      reject(new Error("The index cannot be opened.", { cause: request.error }));
    };
  });
}
