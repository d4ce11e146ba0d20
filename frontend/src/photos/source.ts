/** What a grid or a viewer shows: a list of photos of any length, loaded on demand. */
import type { Ref } from "vue";

import type { ApiError } from "@/api/errors";
import type { Photo } from "@/api/types";

/** A run of photos under one heading. */
export interface Section {
  /** Local month, such as "2026-11"; "" is a list without headings. */
  readonly month: string;
  /** The number of photos, known before they are loaded. */
  readonly count: number;
}

/**
 * A list of photos, in order. Positions run from 0 through all sections: the first photo of the
 * second section has the position `sections[0].count`.
 *
 * The timeline knows its sections in advance and loads any part of them (`isComplete` is true from
 * the start). Lists without counters, such as search, grow page by page: `sections` then covers
 * what has been loaded, and `load` with positions beyond it loads the next page.
 */
export interface PhotoSource {
  /** Identifies the list, such as "photos" or "search?q=sea", to restore its scroll position. */
  readonly key: string;
  readonly sections: Readonly<Ref<readonly Section[]>>;
  /** "loading" until the first sections are known. */
  readonly state: Readonly<Ref<"loading" | "ready" | "failed">>;
  /** The last failure; the next successful request clears it. `load` tries again. */
  readonly error: Readonly<Ref<ApiError | null>>;
  /** Whether `sections` covers the whole list. */
  readonly isComplete: Readonly<Ref<boolean>>;

  /** Return the photo at a position, or undefined until it is loaded. Reactive. */
  at(position: number): Photo | undefined;
  /** Return the position of a loaded photo, or -1. Reactive. */
  positionOf(id: string): number;
  /** Load the positions from `first` through `last` that are missing. Repeated calls are cheap. */
  load(first: number, last: number): Promise<void>;
  /** Read the list again, after photos were added or restored. Loaded photos stay until then. */
  refresh(): Promise<void>;
  /** Replace a loaded photo after a change. */
  update(photo: Photo): void;
  /** Take photos out of the list at once, before or after the API has done so. */
  remove(ids: readonly string[]): void;
  /** Get new URLs for the photos near one whose thumbnail failed to load, at most once a minute. */
  renew?(id: string): Promise<void>;
}

/** Return the number of photos in all sections. */
export function countOf(sections: readonly Section[]): number {
  return sections.reduce((sum, section) => sum + section.count, 0);
}

/** Return a photo's local month: the one of its list. */
export function monthOf(photo: Photo): string {
  return (photo.taken_date ?? photo.upload_date).slice(0, 7);
}

/** Return the sections of photos in the order of their list. */
export function sectionsOf(photos: readonly Photo[]): Section[] {
  const found: { month: string; count: number }[] = [];
  for (const month of photos.map(monthOf)) {
    const last = found.at(-1);
    if (last?.month === month) last.count += 1;
    else found.push({ month, count: 1 });
  }
  return found;
}

/** Return when the URLs of a page received now should be renewed, in milliseconds since 1970. */
export function renewalTime(photos: readonly Photo[], now = Date.now()): number {
  // The album signs URLs that are valid for at least half of this time. Clocks may differ.
  const seconds = /[?&]X-Amz-Expires=(\d+)/.exec(photos[0]?.thumbSrc ?? "")?.[1];
  return seconds ? now + Number(seconds) * 500 : Infinity;
}
