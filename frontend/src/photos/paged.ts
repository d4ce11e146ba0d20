/** Lists that no counter describes: search, favorites and trash grow page by page. */
import { computed, shallowRef } from "vue";

import { api, data } from "@/api/client";
import { ApiError } from "@/api/errors";
import type { ListQuery, Photo, PhotoPage } from "@/api/types";
import { monthOf, type PhotoSource, type Section } from "./source";

const PAGE = 200;

export type ReadPage = (query: ListQuery) => Promise<PhotoPage>;

const readFromApi: ReadPage = (query) => data(api().GET("/photos", { params: { query } }));

/** Return the list that `query` selects. With `hasHeadings`, its photos are grouped by month. */
export function pagedSource(
  key: string,
  query: ListQuery,
  hasHeadings = true,
  read: ReadPage = readFromApi,
): PhotoSource {
  const photos = shallowRef<readonly Photo[]>([]);
  const cursor = shallowRef<string | null>("");
  const state = shallowRef<"loading" | "ready" | "failed">("loading");
  const error = shallowRef<ApiError | null>(null);
  const positions = computed(() => new Map(photos.value.map(({ id }, index) => [id, index])));
  const sections = computed(() => sectionsOf(photos.value, hasHeadings));
  let pending: Promise<void> | null = null;
  let generation = 0;

  /** Load the page at a cursor; "" is the first. The responses of before a refresh are dropped. */
  async function loadPage(from: string): Promise<void> {
    const started = generation;
    try {
      const page = await read({
        ...query,
        limit: PAGE,
        urls: "thumb",
        ...(from && { cursor: from }),
      });
      if (started !== generation) return;
      const kept = from ? photos.value : [];
      photos.value = [
        ...kept,
        ...page.photos.filter(({ id }) => !positions.value.has(id) || !from),
      ];
      cursor.value = page.nextCursor;
      state.value = "ready";
      error.value = null;
    } catch (failure) {
      if (started !== generation) return;
      if (!(failure instanceof ApiError)) throw failure;
      error.value = failure;
      if (photos.value.length === 0) state.value = "failed";
    }
  }

  async function load(_first: number, last: number): Promise<void> {
    // A page may be empty and still not be the last.
    while (cursor.value !== null && last >= photos.value.length) {
      const from = cursor.value;
      pending ??= loadPage(from).finally(() => (pending = null));
      await pending;
      if (error.value) return;
    }
  }

  async function refresh(): Promise<void> {
    generation += 1;
    pending = loadPage("").finally(() => (pending = null));
    await pending;
  }

  return {
    key,
    sections,
    state,
    error,
    isComplete: computed(() => cursor.value === null),
    at: (position) => photos.value[position],
    positionOf: (id) => positions.value.get(id) ?? -1,
    load,
    refresh,
    update(photo) {
      photos.value = photos.value.map((old) => (old.id === photo.id ? photo : old));
    },
    remove(ids) {
      const gone = new Set(ids);
      photos.value = photos.value.filter(({ id }) => !gone.has(id));
    },
  };
}

function sectionsOf(photos: readonly Photo[], hasHeadings: boolean): readonly Section[] {
  if (!hasHeadings) return photos.length ? [{ month: "", count: photos.length }] : [];
  const found: { month: string; count: number }[] = [];
  for (const month of photos.map(monthOf)) {
    const last = found.at(-1);
    if (last?.month === month) last.count += 1;
    else found.push({ month, count: 1 });
  }
  return found;
}
