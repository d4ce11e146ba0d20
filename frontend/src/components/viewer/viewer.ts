/** The photo that is open, its neighbors in the list below it, and what was read about them. */
import { computed, onBeforeUnmount, shallowReactive, shallowRef, watch, type Ref } from "vue";

import { api, data } from "@/api/client";
import { ApiError } from "@/api/errors";
import type { Photo } from "@/api/types";
import { pagedSource } from "@/photos/paged";
import { countOf, type PhotoSource } from "@/photos/source";
import { shownList } from "@/photos/sources";
import { forgetUrl, stableUrl } from "@/photos/urls";
import { locate } from "./locate";

export type ReadPhoto = (id: string) => Promise<Photo>;

const readFromApi: ReadPhoto = async (id) =>
  (await data(api().GET("/photos/{photo_id}", { params: { path: { photo_id: id } } })))
    .photo as Photo;

/** Photos that are only passed by, as while an arrow key is held, are not read. */
const PASSED_MS = 60;
/** After a reload, the list below the viewer is there a moment later. */
const LIST_MS = 1_000;

export function useViewer(id: Readonly<Ref<string>>, read: ReadPhoto = readFromApi) {
  const details = shallowReactive(new Map<string, Photo>());
  const failures = shallowReactive(new Map<string, ApiError>());
  const broken = shallowReactive(new Set<string>());
  const renewed = new Set<string>();
  const reading = new Map<string, Promise<void>>();
  const ownList = shallowRef<PhotoSource | null>(null);
  const timers = new Set<ReturnType<typeof setTimeout>>();

  const source = computed(() => shownList.value ?? ownList.value);
  const position = computed(() => source.value?.positionOf(id.value) ?? -1);
  const neighbor = (step: -1 | 1) =>
    position.value < 0 ? undefined : source.value?.at(position.value + step);
  const previous = computed(() => neighbor(-1));
  const next = computed(() => neighbor(1));
  const photo = computed(() => photoOf(id.value) ?? source.value?.at(position.value));
  /** Why the photo, or only its preview, could not be read. */
  const failure = computed(() =>
    details.has(id.value) && !broken.has(id.value) ? undefined : failures.get(id.value),
  );
  const isMissing = computed(() => failures.get(id.value)?.status === 404);

  function photoOf(which: string): Photo | undefined {
    return details.get(which);
  }

  /** Read a photo with the URL of its preview, once. */
  function load(which: string): Promise<void> {
    if (details.has(which)) return Promise.resolve();
    const running = reading.get(which);
    if (running) return running;
    const started = readAgain(which).finally(() => reading.delete(which));
    reading.set(which, started);
    return started;
  }

  async function readAgain(which: string): Promise<void> {
    try {
      details.set(which, await read(which));
      failures.delete(which);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (error.status === 404) details.delete(which);
      failures.set(which, error);
    }
  }

  /** The preview could not be loaded. Its URL may have expired, so ask for another one, once. */
  async function imageFailed(which: string): Promise<void> {
    const failed = details.get(which);
    if (!failed?.previewSrc || renewed.has(which)) {
      broken.add(which);
      return;
    }
    renewed.add(which);
    const tried = stableUrl(failed.previewSrc);
    forgetUrl(tried);
    // It may be the URL of an earlier visit; then the album has given another one already.
    if (tried === failed.previewSrc) await readAgain(which);
    else details.set(which, { ...failed });
    if (details.get(which)?.previewSrc === tried) broken.add(which);
  }

  /** Try again what failed: to read the photo, or to load its preview. */
  async function retry(): Promise<void> {
    const which = id.value;
    renewed.delete(which);
    await readAgain(which);
    broken.delete(which);
  }

  /** Show a change in the viewer and in the list below it. */
  function change(changed: Photo): void {
    details.set(changed.id, changed);
    source.value?.update(changed);
  }

  /** Read a photo again when it is opened the next time, as after it was moved to the trash. */
  function forget(which: string): void {
    details.delete(which);
  }

  /** Read the open photo, then its neighbors, so that they are there when they are needed. */
  async function loadAround(): Promise<void> {
    const opened = id.value;
    await load(opened);
    if (opened !== id.value) return;
    for (const near of [next.value, previous.value]) if (near) void load(near.id);
  }

  function later(ms: number, task: () => unknown): ReturnType<typeof setTimeout> {
    const timer = setTimeout(() => {
      timers.delete(timer);
      task();
    }, ms);
    timers.add(timer);
    return timer;
  }

  watch(
    [id, () => next.value?.id, () => previous.value?.id],
    (_, __, onCleanup) => {
      const timer = later(photo.value ? PASSED_MS : 0, () => void loadAround());
      onCleanup(() => clearTimeout(timer));
    },
    { immediate: true },
  );

  // Photos next to the open one must be in the list before they are asked for.
  watch(
    [source, position],
    () => {
      const list = source.value;
      if (!list || position.value < 0) return;
      const last = list.isComplete.value ? countOf(list.sections.value) - 1 : Infinity;
      void list.load(Math.max(0, position.value - 2), Math.min(last, position.value + 2));
    },
    { immediate: true },
  );

  // A photo that was opened by its address is somewhere in the list.
  watch(
    [source, () => source.value?.state.value, () => details.get(id.value), position],
    () => {
      const [list, opened] = [source.value, details.get(id.value)];
      if (list && opened && position.value < 0) void locate(list, opened);
    },
    { immediate: true },
  );

  later(LIST_MS, () => {
    if (shownList.value) return;
    ownList.value = pagedSource("photos", {});
    void ownList.value.load(0, 0);
  });

  onBeforeUnmount(() => {
    timers.forEach(clearTimeout);
  });

  return {
    source,
    position,
    previous,
    next,
    photo,
    photoOf,
    failure,
    isMissing,
    broken,
    imageFailed,
    imageLoaded: (which: string) => void renewed.delete(which),
    retry,
    change,
    forget,
  };
}

export type Viewer = ReturnType<typeof useViewer>;
