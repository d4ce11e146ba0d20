/** The queue in IndexedDB: entries, and what their files can be read from after a reload. */
import { committed, openDatabase, resultOf, type StoreName } from "./database";
import { isOver, type Entry } from "./entry";

export interface UploadStore {
  /** Return the entries of an account in their order, with `isSaved` as it really is. */
  load(owner: string): Promise<Entry[]>;
  add(
    entries: readonly Entry[],
    handles?: ReadonlyMap<string, FileSystemFileHandle>,
  ): Promise<void>;
  /** Store changes of entries that have not been removed, and drop the bytes of those done. */
  update(entries: readonly Entry[]): Promise<void>;
  /** Copy files, unless their entries are over or were removed. All of them, or none. */
  copy(files: ReadonlyMap<string, Blob>): Promise<void>;
  bytes(id: string): Promise<Blob | undefined>;
  handle(id: string): Promise<FileSystemFileHandle | undefined>;
  remove(ids: readonly string[]): Promise<void>;
  /** Forget everything of an account. */
  clear(owner: string): Promise<void>;
}

const ALL: StoreName[] = ["entries", "bytes", "handles"];

/** Return the store in this browser's IndexedDB. */
export async function openStore(): Promise<UploadStore> {
  const database = await openDatabase();
  // Another version of the page, in another tab, must not wait for this one.
  database.onversionchange = () => database.close();

  /** Run `task` in one transaction, and wait until it is stored. */
  async function write(
    names: StoreName[],
    task: (store: (name: StoreName) => IDBObjectStore) => Promise<void>,
  ): Promise<void> {
    const transaction = database.transaction(names, "readwrite");
    const done = committed(transaction);
    await Promise.all([done, task((name) => transaction.objectStore(name))]);
  }

  async function ownedIds(owner: string, entries: IDBObjectStore): Promise<string[]> {
    return (await resultOf(entries.index("owner").getAllKeys(owner))) as string[];
  }

  return {
    async load(owner) {
      const transaction = database.transaction(ALL);
      const read = (name: StoreName) => transaction.objectStore(name);
      const [entries, copied, handled] = await Promise.all([
        resultOf(read("entries").index("owner").getAll(owner)) as Promise<Entry[]>,
        resultOf(read("bytes").getAllKeys()),
        resultOf(read("handles").getAllKeys()),
      ]);
      const saved = new Set([...copied, ...handled]);
      return entries
        .map((entry) => ({ ...entry, isSaved: saved.has(entry.id) }))
        .sort((one, other) => one.order - other.order);
    },

    add: (entries, handles) =>
      write(["entries", "handles"], async (store) => {
        const puts = entries.map((entry) => resultOf(store("entries").put(entry)));
        for (const [id, handle] of handles ?? []) {
          puts.push(resultOf(store("handles").put(handle, id)));
        }
        await Promise.all(puts);
      }),

    update: (entries) =>
      write(ALL, async (store) => {
        const changes = entries.map(async (entry) => {
          if (!(await resultOf(store("entries").getKey(entry.id)))) return;
          store("entries").put(entry);
          if (isOver(entry) && entry.state !== "failed") {
            store("bytes").delete(entry.id);
            store("handles").delete(entry.id);
          }
        });
        await Promise.all(changes);
      }),

    copy: (files) =>
      write(["entries", "bytes"], async (store) => {
        const puts = [...files].map(async ([id, file]) => {
          const entry = (await resultOf(store("entries").get(id))) as Entry | undefined;
          if (entry && !(isOver(entry) && entry.state !== "failed")) store("bytes").put(file, id);
        });
        await Promise.all(puts);
      }),

    bytes: (id) =>
      resultOf(database.transaction("bytes").objectStore("bytes").get(id)) as Promise<
        Blob | undefined
      >,

    handle: (id) =>
      resultOf(database.transaction("handles").objectStore("handles").get(id)) as Promise<
        FileSystemFileHandle | undefined
      >,

    remove: (ids) =>
      write(ALL, async (store) => {
        await Promise.all(ALL.flatMap((name) => ids.map((id) => resultOf(store(name).delete(id)))));
      }),

    clear: (owner) =>
      write(ALL, async (store) => {
        const ids = await ownedIds(owner, store("entries"));
        await Promise.all(ALL.flatMap((name) => ids.map((id) => resultOf(store(name).delete(id)))));
      }),
  };
}
