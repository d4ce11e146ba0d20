/** Copies files into the browser's storage, as far as there is room, so that they survive. */
import type { Entry } from "./entry";
import type { UploadStore } from "./store";

const LARGEST_BATCH = 32_000_000; // bytes in one transaction
const FILES_IN_BATCH = 100;
/** The rest of the free space is left to the cache of images, and to the system. */
const SHARE = 0.5;

export interface SaverDeps {
  store: UploadStore;
  /** Return the entries to copy, in their order. */
  pending: () => Entry[];
  file: (id: string) => Blob | undefined;
  /** Return the bytes that are free. */
  free: () => Promise<number>;
  onSaved: (ids: readonly string[]) => void;
}

/** Return a function that copies what fits; call it again when room may have become free. */
export function createSaver(deps: SaverDeps): () => Promise<void> {
  let running: Promise<void> | null = null;
  let isWanted = false;
  const refused = new Set<string>(); // files that could not be copied

  async function copyAll(): Promise<void> {
    do {
      isWanted = false;
      while (await copyBatch()) {
        // Until nothing is left, or nothing fits.
      }
    } while (isWanted);
  }

  async function copyBatch(): Promise<boolean> {
    const pending = deps.pending();
    if (pending.length === 0) return false;
    const room = (await deps.free()) * SHARE;
    const batch = fitting(pending, Math.min(room, LARGEST_BATCH), room);
    if (batch.size === 0) return false;
    try {
      await deps.store.copy(batch);
      deps.onSaved([...batch.keys()]);
    } catch {
      // One file that was moved, or a full disk. Alone, each of the others can still be copied.
      if (batch.size === 1) for (const id of batch.keys()) refused.add(id);
      else await copyOneByOne(batch);
    }
    return true;
  }

  async function copyOneByOne(batch: ReadonlyMap<string, Blob>): Promise<void> {
    for (const [id, file] of batch) {
      try {
        await deps.store.copy(new Map([[id, file]]));
        deps.onSaved([id]);
      } catch {
        refused.add(id);
      }
    }
  }

  /** Return the first files that fit, but always one that fits the room itself. */
  function fitting(entries: readonly Entry[], limit: number, room: number): Map<string, Blob> {
    const batch = new Map<string, Blob>();
    let size = 0;
    for (const { id } of entries) {
      const file = refused.has(id) ? undefined : deps.file(id);
      if (!file) continue;
      size += file.size;
      if (batch.size === FILES_IN_BATCH || size > (batch.size === 0 ? room : limit)) break;
      batch.set(id, file);
    }
    return batch;
  }

  return () => {
    isWanted = true;
    running ??= copyAll().finally(() => (running = null));
    return running;
  };
}

/** Return the bytes that this origin may still store; nothing where the browser does not say. */
export async function freeBytes(): Promise<number> {
  const storage = navigator.storage as StorageManager | undefined;
  if (!storage?.estimate) return 0;
  const { quota = 0, usage = 0 } = await storage.estimate().catch((): StorageEstimate => ({}));
  return Math.max(0, quota - usage);
}
