/** The photos that have a position, read page by page; those in view are a list for the viewer. */
import { computed, shallowRef, type Ref } from "vue";

import { api, data } from "@/api/client";
import { ApiError } from "@/api/errors";
import type { Photo } from "@/api/types";
import type { PhotoSource } from "@/photos/source";
import type { PlacedPhoto } from "./clusters";

const PAGE = 1000;

export interface MapPage {
  features: { properties: Photo }[];
  nextCursor: string | null;
}

export type ReadMapPage = (cursor: string | null) => Promise<MapPage>;

const readFromApi: ReadMapPage = (cursor) => {
  const query = { limit: PAGE, urls: "thumb", ...(cursor && { cursor }) } as const;
  return data(api().GET("/photos/map", { params: { query } }));
};

export function useMapPhotos(read: ReadMapPage = readFromApi) {
  const photos = shallowRef<readonly PlacedPhoto[]>([]);
  const state = shallowRef<"loading" | "ready" | "failed">("loading");
  const error = shallowRef<ApiError | null>(null);
  let generation = 0;

  /** Read all pages. What is shown stays until the first page of a repeated reading is there. */
  async function load(): Promise<void> {
    const started = ++generation;
    state.value = "loading";
    error.value = null;
    let cursor: string | null = null;
    let found: readonly PlacedPhoto[] = [];
    try {
      do {
        const page: MapPage = await read(cursor);
        if (started !== generation) return;
        found = [...found, ...page.features.map(({ properties }) => properties).filter(isPlaced)];
        photos.value = found;
        cursor = page.nextCursor;
      } while (cursor !== null);
      state.value = "ready";
    } catch (failure) {
      if (started !== generation) return;
      if (!(failure instanceof ApiError)) throw failure;
      error.value = failure;
      state.value = "failed";
    }
  }

  function replace(changed: Photo): void {
    const others = photos.value.filter(({ id }) => id !== changed.id);
    photos.value = isPlaced(changed)
      ? photos.value.map((photo) => (photo.id === changed.id ? changed : photo))
      : others;
  }

  function remove(ids: readonly string[]): void {
    const gone = new Set(ids);
    photos.value = photos.value.filter(({ id }) => !gone.has(id));
  }

  /** Return those in view as a list. */
  function listOf(inView: Readonly<Ref<readonly PlacedPhoto[]>>): PhotoSource {
    const positions = computed(() => new Map(inView.value.map(({ id }, index) => [id, index])));
    return {
      key: "map",
      sections: computed(() => [{ month: "", count: inView.value.length }]),
      state,
      error,
      isComplete: shallowRef(true),
      at: (position) => inView.value[position],
      positionOf: (id) => positions.value.get(id) ?? -1,
      load: () => Promise.resolve(),
      refresh: load,
      update: replace,
      remove,
    };
  }

  return { photos, state, error, load, listOf };
}

function isPlaced(photo: Photo): photo is PlacedPhoto {
  return photo.geotag_lat !== null && photo.geotag_lng !== null;
}
