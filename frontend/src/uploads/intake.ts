/** New entries of files that were chosen, dropped or pasted. */
import type { Candidate } from "./drop";
import { newEntry, type Entry } from "./entry";
import { newId } from "./ids";

export interface Intake {
  entries: Entry[];
  files: Map<string, File>;
  handles: Map<string, FileSystemFileHandle>;
}

/** Return an entry for each photo, in their order, with the files and handles by their IDs. */
export function intake(
  photos: readonly Candidate[],
  owner: string,
  nextOrder: () => number,
): Intake {
  const result: Intake = { entries: [], files: new Map(), handles: new Map() };
  for (const { file, handle } of photos) {
    const entry = newEntry(file, owner, nextOrder(), newId());
    result.entries.push(entry);
    result.files.set(entry.id, file);
    if (handle) result.handles.set(entry.id, handle);
  }
  return result;
}
