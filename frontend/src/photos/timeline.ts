/** All photos of the album, by month: any part of them is loaded when it is shown. */
import { computed, shallowRef } from "vue";

import { api, data } from "@/api/client";
import { ApiError } from "@/api/errors";
import type { ListQuery, Photo, PhotoPage } from "@/api/types";
import { Block } from "./block";
import { lastNotAbove } from "./layout";
import { PAGE, rangesOf } from "./ranges";
import { requestQueue } from "./requests";
import { sectionsOf, type PhotoSource, type Section } from "./source";

export interface TimelineReader {
  months(): Promise<Section[]>;
  page(query: ListQuery, signal?: AbortSignal): Promise<PhotoPage>;
}

const readFromApi: TimelineReader = {
  months: async () => (await data(api().GET("/photos/timeline"))).months,
  page: (query, signal) =>
    data(api().GET("/photos", { params: { query }, signal: signal ?? null })),
};

/** Photos that stay loaded; of others, only the IDs are kept. */
const MOST_LOADED = 3000;

export function timelineSource(
  key = "photos",
  read: TimelineReader = readFromApi,
  mostLoaded = MOST_LOADED,
): PhotoSource {
  const blocks = shallowRef<readonly Block[]>([]);
  const sections = shallowRef<readonly Section[]>([]);
  const state = shallowRef<"loading" | "ready" | "failed">("loading");
  const error = shallowRef<ApiError | null>(null);
  /** Increases with every change of the photos. */
  const version = shallowRef(0);
  const firsts = computed(() => (version.value, blocks.value.map(({ first }) => first)));
  let index = new Map<string, Block>();
  /** The number of calls of `load`. */
  let loads = 0;
  let opening: Promise<void> | null = null;

  const requests = requestQueue<Block>({
    missing: (block, first, last) =>
      block.missing(first - block.first, last - block.first, Date.now()),
    between: (first, last) =>
      blocks.value.filter((block) => block.first <= last && block.first + block.count > first),
    send: (query, signal) => read.page(query, signal),
    accept,
    fail,
  });

  /** Publish a change of the blocks. */
  function changed(): void {
    let first = 0;
    for (const block of blocks.value) {
      block.first = first;
      first += block.count;
    }
    const found = blocks.value.flatMap((block) => block.sections);
    if (JSON.stringify(found) !== JSON.stringify(sections.value)) sections.value = found;
    version.value += 1;
  }

  function accept(block: Block, query: ListQuery, page: PhotoPage): void {
    for (const { id } of block.accept(query.cursor ?? "", page, Date.now(), loads)) {
      // A photo whose date was changed is in one place only: the last that was read.
      const before = index.get(id);
      if (before !== block) before?.remove(id);
      index.set(id, block);
    }
    error.value = null;
    dropUnused();
    changed();
  }

  function fail(failure: unknown): void {
    if (!(failure instanceof ApiError)) throw failure;
    error.value = failure;
  }

  /** Keep the memory bounded: forget the photos that were not shown for the longest time. */
  function dropUnused(): void {
    const pages = blocks.value.flatMap((block) => block.loadedPages());
    let loaded = pages.reduce((sum, { count }) => sum + count, 0);
    for (const page of pages.sort((a, b) => a.usedBy - b.usedBy)) {
      // Those that are needed now stay, even if they are too many.
      if (loaded <= mostLoaded || page.usedBy === loads) break;
      page.drop();
      loaded -= page.count;
    }
  }

  /** Read the months, and at the same time the first page. */
  async function open(): Promise<void> {
    try {
      const [months, page] = await Promise.all([
        read.months(),
        read.page({ limit: PAGE, urls: "thumb" }),
      ]);
      const before = { blocks: blocks.value, sections: sections.value };
      requests.forget();
      blocks.value = rangesOf(withMonthsOf(months, page.photos)).map((range) => new Block(range));
      index = new Map();
      changed();
      keepPhotos(before.sections, before.blocks);
      distribute(page);
      changed();
      state.value = "ready";
      error.value = null;
    } catch (failure) {
      fail(failure);
      if (sections.value.length === 0) state.value = "failed";
    }
  }

  /** Give the photos of the first page to the ranges that it covers. */
  function distribute(page: PhotoPage): void {
    let { photos } = page;
    for (const block of blocks.value) {
      const own = photos.slice(0, block.countOwn(photos));
      const isWhole = own.length < photos.length || page.nextCursor === null;
      // The cursor is one of the whole list, as that of the newest range is.
      if (!isWhole && block !== blocks.value[0]) break;
      const nextCursor = isWhole ? null : page.nextCursor;
      block.accept("", { photos: own, nextCursor }, Date.now(), loads);
      for (const { id } of own) index.set(id, block);
      if (!isWhole) break;
      photos = photos.slice(own.length);
    }
  }

  /** Show what was loaded before until it has been read again. */
  function keepPhotos(before: readonly Section[], old: readonly Block[]): void {
    const photos = old.flatMap((block) => block.photos);
    const starts = startsOf(before);
    for (const block of blocks.value) {
      let first = 0;
      for (const { month, count } of block.sections) {
        const start = starts.get(month);
        if (start) block.keep(photos.slice(start.first, start.first + start.count), first, count);
        first += count;
      }
      for (const id of block.ids) if (id) index.set(id, block);
    }
  }

  function blockAt(position: number): Block | undefined {
    return blocks.value[lastNotAbove(firsts.value, position)];
  }

  function at(position: number): Photo | undefined {
    const block = blockAt(position);
    return block?.photos[position - block.first];
  }

  function positionOf(id: string): number {
    void version.value; // the index is not reactive
    const block = index.get(id);
    const place = block?.ids.indexOf(id) ?? -1;
    return block?.photos[place] ? block.first + place : -1;
  }

  async function load(first: number, last: number): Promise<void> {
    if (state.value !== "ready") {
      opening ??= open().finally(() => (opening = null));
      await opening;
      if (error.value) return;
    }
    loads += 1;
    for (const block of blocks.value) block.touch(first - block.first, last - block.first, loads);
    await requests.load(first, last);
  }

  return {
    key,
    sections,
    state,
    error,
    isComplete: computed(() => true),
    at,
    positionOf,
    load,
    async refresh() {
      // What is being read may be from before the change.
      await opening;
      opening ??= open().finally(() => (opening = null));
      await opening;
    },
    update(photo) {
      index.get(photo.id)?.replaceOne(photo);
      changed();
    },
    remove(ids) {
      for (const id of ids) {
        index.get(id)?.remove(id);
        index.delete(id);
      }
      changed();
    },
    async renew(id) {
      const position = positionOf(id);
      const block = blockAt(position);
      if (position < 0 || !block) return;
      block.expire(position - block.first, Date.now());
      await load(position, position);
    },
  };
}

/** Return the months, also those that have photos but are not counted yet. */
function withMonthsOf(months: readonly Section[], photos: readonly Photo[]): Section[] {
  const counted = new Set(months.map(({ month }) => month));
  const missing = sectionsOf(photos).filter(({ month }) => !counted.has(month));
  return [...months, ...missing].sort((a, b) => (a.month < b.month ? 1 : -1));
}

function startsOf(sections: readonly Section[]): Map<string, { first: number; count: number }> {
  let first = 0;
  return new Map(
    sections.map(({ month, count }) => {
      first += count;
      return [month, { first: first - count, count }];
    }),
  );
}
