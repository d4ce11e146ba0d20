/** Files that are dropped again, because the browser can no longer read them. */
import type { Candidate } from "./drop";
import type { Entry } from "./entry";

/** Return those of `photos` that entries miss, with their entries. */
export function matchLost(
  entries: Iterable<Entry>,
  photos: readonly Candidate[],
): Map<Candidate, Entry> {
  const missing = new Map<string, Entry>();
  for (const entry of entries) {
    const kind = entry.failure?.kind;
    if (kind === "lost" || kind === "locked") missing.set(identity(entry), entry);
  }
  const found = new Map<Candidate, Entry>();
  for (const candidate of photos) {
    const { name, size, lastModified: modified } = candidate.file;
    const entry = missing.get(identity({ name, size, modified }));
    if (entry) found.set(candidate, entry);
  }
  return found;
}

function identity(file: { name: string; size: number; modified: number }): string {
  return `${String(file.size)} ${String(file.modified)} ${file.name}`;
}
