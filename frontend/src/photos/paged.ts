/** Lists that no counter describes: search, favorites and trash grow page by page. */
import { computed, shallowRef } from "vue";

import { api, data } from "@/api/client";
import { ApiError } from "@/api/errors";
import type { ListQuery, Photo, PhotoPage } from "@/api/types";
import { renewalTime, sectionsOf, type PhotoSource } from "./source";

const PAGE = 200;

/** A page that was loaded: its cursor loads it again, with new URLs. */
interface Loaded {
  readonly cursor: string;
  readonly ids: ReadonlySet<string>;
  loadedAt: number;
  renewAt: number;
}

const MINUTE = 60_000;

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
  const sections = computed(() => {
    if (hasHeadings) return sectionsOf(photos.value);
    return photos.value.length ? [{ month: "", count: photos.value.length }] : [];
  });
  let pages: Loaded[] = [];
  let pending: Promise<void> | null = null;
  let generation = 0;

  function readPage(from: string): Promise<PhotoPage> {
    return read({ ...query, limit: PAGE, urls: "thumb", ...(from && { cursor: from }) });
  }

  /**
   * Load the page at a cursor, and more until there are `least` photos; "" is the first page.
   * Responses from before a refresh are dropped.
   */
  async function loadPages(from: string, least = 0): Promise<void> {
    const started = generation;
    const found: Photo[] = [];
    const foundPages: Loaded[] = [];
    let next: string | null = from;
    try {
      do {
        const page: PhotoPage = await readPage(next);
        if (started !== generation) return;
        found.push(...page.photos);
        foundPages.push(loaded(next, page.photos));
        next = page.nextCursor;
      } while (next !== null && found.length < least);
      pages = from ? [...pages, ...foundPages] : foundPages;
      photos.value = withoutRepeats(from ? [...photos.value, ...found] : found);
      cursor.value = next;
      state.value = "ready";
      error.value = null;
    } catch (failure) {
      if (started !== generation) return;
      if (!(failure instanceof ApiError)) throw failure;
      error.value = failure;
      if (photos.value.length === 0) state.value = "failed";
    }
  }

  /** Replace the URLs of a page's photos. If that fails, the old ones stay. */
  async function renewPage(page: Loaded): Promise<void> {
    const started = generation;
    Object.assign(page, { loadedAt: Date.now(), renewAt: Infinity });
    try {
      const found = await readPage(page.cursor);
      if (started !== generation) return;
      const fresh = new Map(found.photos.map((photo) => [photo.id, photo]));
      page.renewAt = renewalTime(found.photos);
      photos.value = photos.value.map((photo) => fresh.get(photo.id) ?? photo);
    } catch (failure) {
      if (!(failure instanceof ApiError)) throw failure;
      page.renewAt = Date.now() + MINUTE;
    }
  }

  /** Return the pages whose URLs are about to expire and which are shown. */
  function dueBetween(first: number, last: number): Loaded[] {
    const due = pages.filter((page) => page.renewAt <= Date.now());
    if (due.length === 0) return due;
    const shown = photos.value.slice(Math.max(0, first), last + 1);
    return due.filter((page) => shown.some(({ id }) => page.ids.has(id)));
  }

  async function load(first: number, last: number): Promise<void> {
    const due = dueBetween(first, last);
    if (due.length > 0) await Promise.all(due.map(renewPage));
    // A page may be empty and still not be the last.
    while (cursor.value !== null && last >= photos.value.length) {
      const from = cursor.value;
      pending ??= loadPages(from).finally(() => (pending = null));
      await pending;
      if (error.value) return;
    }
  }

  async function refresh(): Promise<void> {
    generation += 1;
    // As many as are shown: the list must not become shorter than where people have scrolled to.
    pending = loadPages("", photos.value.length).finally(() => (pending = null));
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
    async renew(id) {
      const page = pages.find(({ ids }) => ids.has(id));
      if (page && Date.now() - page.loadedAt >= MINUTE) await renewPage(page);
    },
  };
}

function loaded(cursor: string, photos: readonly Photo[]): Loaded {
  const ids = new Set(photos.map(({ id }) => id));
  return { cursor, ids, loadedAt: Date.now(), renewAt: renewalTime(photos) };
}

/** Pages overlap if photos are added between their requests. */
function withoutRepeats(photos: readonly Photo[]): Photo[] {
  return [...new Map(photos.map((photo) => [photo.id, photo])).values()];
}
