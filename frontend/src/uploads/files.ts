/** Where the bytes of an entry are: in this page, in a copy, or behind a handle. */
import type { Entry } from "./entry";
import type { UploadStore } from "./store";

/** A file cannot be read: it is gone, or the browser wants to ask its owner first. */
export class LostFile extends Error {
  override readonly name = "LostFile";

  constructor(readonly kind: "lost" | "locked") {
    super(kind);
  }
}

export interface Files {
  /** Return the file of an entry. Raises LostFile. */
  open(entry: Entry): Promise<Blob>;
  isReadable(file: Blob): Promise<boolean>;
  /** Give up this page's file, and return whether there is a copy or a handle to go on with. */
  forget(entry: Entry): Promise<boolean>;
}

/** Permissions of handles, which TypeScript does not know yet. */
interface LockableHandle extends FileSystemFileHandle {
  queryPermission?(): Promise<PermissionState>;
  requestPermission?(): Promise<PermissionState>;
}

export class QueueFiles implements Files {
  readonly #ofPage = new Map<string, File | Blob>();

  constructor(private readonly store: () => Promise<UploadStore | null>) {}

  /** Keep a file that was chosen in this page or in another tab. */
  keep(id: string, file: Blob): void {
    this.#ofPage.set(id, file);
  }

  /** Return the file that this page has. */
  ofPage(id: string): Blob | undefined {
    return this.#ofPage.get(id);
  }

  drop(id: string): void {
    this.#ofPage.delete(id);
  }

  async open(entry: Entry): Promise<Blob> {
    const file = this.#ofPage.get(entry.id);
    if (file) return file;
    const store = await this.store();
    const copy = await store?.bytes(entry.id);
    if (copy) return copy;
    const handle = (await store?.handle(entry.id)) as LockableHandle | undefined;
    if (!handle) throw new LostFile("lost");
    if ((await handle.queryPermission?.()) === "prompt") throw new LostFile("locked");
    return openHandle(handle, entry);
  }

  async isReadable(file: Blob): Promise<boolean> {
    try {
      await file.slice(0, 1).arrayBuffer();
      return true;
    } catch {
      return false;
    }
  }

  async forget(entry: Entry): Promise<boolean> {
    if (!this.#ofPage.delete(entry.id)) return false;
    const store = await this.store();
    return !!(await store?.bytes(entry.id)) || !!(await store?.handle(entry.id));
  }

  /** Ask to read a locked file. Call it in response to a click. */
  async unlock(id: string): Promise<void> {
    const store = await this.store();
    const handle = (await store?.handle(id)) as LockableHandle | undefined;
    await handle?.requestPermission?.();
  }
}

/** Return a handle's file if it is still the one that was chosen. Raises LostFile. */
async function openHandle(handle: FileSystemFileHandle, entry: Entry): Promise<File> {
  const file = await handle.getFile().catch(() => {
    throw new LostFile("lost");
  });
  if (file.size !== entry.size || file.lastModified !== entry.modified) throw new LostFile("lost");
  return file;
}
