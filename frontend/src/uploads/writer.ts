/** Stores changes of entries behind the queue's back: the newest of each, many in a transaction. */
import type { Entry } from "./entry";
import type { UploadStore } from "./store";

export interface Writer {
  write(id: string, entry: Entry | null): void;
  /** Wait until everything written so far is stored. */
  flushed(): Promise<void>;
}

export function createWriter(store: UploadStore): Writer {
  const changed = new Map<string, Entry | null>();
  let running: Promise<void> | null = null;

  async function flush(): Promise<void> {
    while (changed.size > 0) {
      const batch = [...changed];
      changed.clear();
      const entries = batch.flatMap(([, entry]) => entry ?? []);
      const removed = batch.filter(([, entry]) => entry === null).map(([id]) => id);
      try {
        if (entries.length > 0) await store.update(entries);
        if (removed.length > 0) await store.remove(removed);
      } catch {
        // A full disk. What a reload then repeats, the album has already, and skips.
      }
    }
  }

  return {
    write(id, entry) {
      changed.set(id, entry);
      running ??= Promise.resolve()
        .then(flush)
        .finally(() => (running = null));
    },
    flushed: () => running ?? Promise.resolve(),
  };
}
