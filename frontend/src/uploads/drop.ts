/** The files in a drop, with those in its folders, in the order in which people see them. */

export interface Candidate {
  file: File;
  /** Reads the file again after a reload, where the browser has such handles. */
  handle?: FileSystemFileHandle;
}

/** Parts of the File System API that TypeScript does not know yet. */
interface HandleItem extends DataTransferItem {
  getAsFileSystemHandle?(): Promise<FileSystemHandle | null>;
}
interface Folder extends FileSystemDirectoryHandle {
  values(): AsyncIterable<FileSystemHandle>;
}

interface Dropped {
  file: File | null;
  entry: FileSystemEntry | null;
  handle: Promise<FileSystemHandle | null> | undefined;
}

const byName = new Intl.Collator(undefined, { numeric: true }).compare;

/** Read a drop. Call it in the handler of the event: the browser empties a drop after that. */
export function readDrop(transfer: DataTransfer): Promise<Candidate[]> {
  const items = [...transfer.items].filter(({ kind }) => kind === "file") as HandleItem[];
  const dropped = items.map((item): Dropped => {
    const handle = item.getAsFileSystemHandle?.().catch(() => null);
    return { file: item.getAsFile(), entry: item.webkitGetAsEntry(), handle };
  });
  return readAll(dropped);
}

async function readAll(dropped: readonly Dropped[]): Promise<Candidate[]> {
  const found: Candidate[] = [];
  for (const { file, entry, handle } of dropped) {
    const known = await handle;
    if (known) found.push(...(await filesOfHandle(known)));
    else if (entry) found.push(...(await filesOfEntry(entry)));
    else if (file) found.push({ file });
  }
  return found;
}

async function filesOfHandle(handle: FileSystemHandle): Promise<Candidate[]> {
  if (handle.kind === "file") {
    const file = handle as FileSystemFileHandle;
    return [{ file: await file.getFile(), handle: file }];
  }
  const children: FileSystemHandle[] = [];
  for await (const child of (handle as Folder).values()) children.push(child);
  return inOrder(children, filesOfHandle);
}

async function filesOfEntry(entry: FileSystemEntry): Promise<Candidate[]> {
  if (entry.isFile) {
    const file = await new Promise<File>((resolve, reject) => {
      (entry as FileSystemFileEntry).file(resolve, reject);
    });
    return [{ file }];
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  const children: FileSystemEntry[] = [];
  for (;;) {
    // Chromium returns at most 100 at a time, and none at the end.
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => {
      reader.readEntries(resolve, reject);
    });
    if (some.length === 0) break;
    children.push(...some);
  }
  return inOrder(children, filesOfEntry);
}

async function inOrder<T extends { name: string }>(
  children: T[],
  read: (child: T) => Promise<Candidate[]>,
): Promise<Candidate[]> {
  const found: Candidate[] = [];
  for (const child of children.sort((one, other) => byName(one.name, other.name))) {
    found.push(...(await read(child)));
  }
  return found;
}
