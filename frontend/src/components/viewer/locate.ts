import type { Photo } from "@/api/types";
import { countOf, monthOf, type PhotoSource } from "@/photos/source";

/** Pages to read at most of a list that has no counters. */
const MOST_PAGES = 20;
const ATTEMPTS = 3;

/** Load the part of a list that a photo is in, or would be. */
export async function locate(source: PhotoSource, photo: Photo): Promise<void> {
  if (source.state.value !== "ready") return;
  // A list drops a request when others are more urgent, such as for what it shows itself.
  for (let attempt = 0; attempt < ATTEMPTS && source.positionOf(photo.id) < 0; attempt++) {
    await loadMonth(source, monthOf(photo));
    if (source.error.value) return;
  }
  for (let page = 0; page < MOST_PAGES; page++) {
    const isFound = source.positionOf(photo.id) >= 0;
    if (isFound || source.isComplete.value || isPast(source, photo)) return;
    const count = countOf(source.sections.value);
    await source.load(count, count);
    if (source.error.value) return;
  }
}

async function loadMonth(source: PhotoSource, month: string): Promise<void> {
  let first = 0;
  for (const section of source.sections.value) {
    if (section.month === month) await source.load(first, first + section.count - 1);
    first += section.count;
  }
}

/** Return whether the list, newest first, has been loaded beyond the photo's month. */
function isPast(source: PhotoSource, photo: Photo): boolean {
  const last = source.sections.value.at(-1)?.month;
  return !!last && last < monthOf(photo);
}
