/** The photos of a list that are selected. */
import { computed, shallowRef, type ComputedRef, type ShallowRef } from "vue";

import type { Photo } from "@/api/types";
import type { PhotoSource } from "@/photos/source";

export interface Selection {
  /** By ID, in the order in which they were selected. */
  readonly photos: ShallowRef<ReadonlyMap<string, Photo>>;
  readonly isActive: ComputedRef<boolean>;
  /** Select a photo, or no longer. */
  toggle(position: number): void;
  /** Select all photos between the last one that was selected and this one. */
  extendTo(position: number): Promise<void>;
  /** Take over a change of a selected photo. */
  replace(photo: Photo): void;
  clear(): void;
}

/** Photos of a range are loaded in pieces. */
const PIECE = 200;

export function useSelection(source: () => PhotoSource): Selection {
  const photos = shallowRef<ReadonlyMap<string, Photo>>(new Map());
  let anchor: string | null = null;

  function toggle(position: number): void {
    const photo = source().at(position);
    if (!photo) return;
    const next = new Map(photos.value);
    if (!next.delete(photo.id)) next.set(photo.id, photo);
    photos.value = next;
    anchor = photo.id;
  }

  async function extendTo(position: number): Promise<void> {
    const start = anchor === null ? -1 : source().positionOf(anchor);
    if (start < 0) {
      toggle(position);
      return;
    }
    const first = Math.min(start, position);
    const last = Math.max(start, position);
    const next = new Map(photos.value);
    for (let from = first; from <= last; from += PIECE) {
      const to = Math.min(last, from + PIECE - 1);
      const isMissing = () => between(from, to).some((each) => !source().at(each));
      if (isMissing()) await source().load(from, to);
      for (const each of between(from, to)) {
        const photo = source().at(each);
        if (photo) next.set(photo.id, photo);
      }
    }
    photos.value = next;
  }

  return {
    photos,
    isActive: computed(() => photos.value.size > 0),
    toggle,
    extendTo,
    replace(photo) {
      photos.value = new Map(photos.value).set(photo.id, photo);
    },
    clear() {
      photos.value = new Map();
      anchor = null;
    },
  };
}

function between(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}
