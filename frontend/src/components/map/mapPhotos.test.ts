import { expect, it, vi } from "vitest";
import { shallowRef } from "vue";

import { ApiError } from "@/api/errors";
import type { Photo } from "@/api/types";
import { useMapPhotos, type MapPage, type ReadMapPage } from "./mapPhotos";

const read = vi.fn<ReadMapPage>();

function photo(id: string): Photo {
  return { id, geotag_lat: 0, geotag_lng: 0 } as Photo;
}

function page(ids: string[], nextCursor: string | null): MapPage {
  return { features: ids.map((id) => ({ properties: photo(id) })), nextCursor };
}

it("all pages are read, and shown as they arrive", async () => {
  const map = useMapPhotos(read);
  read.mockReset().mockResolvedValueOnce(page(["a", "b"], "next"));
  read.mockImplementationOnce((cursor) => {
    expect(cursor).toBe("next");
    expect(map.photos.value.map(({ id }) => id)).toEqual(["a", "b"]);
    expect(map.state.value).toBe("loading");
    return Promise.resolve(page(["c"], null));
  });
  await map.load();
  expect(map.photos.value.map(({ id }) => id)).toEqual(["a", "b", "c"]);
  expect(map.state.value).toBe("ready");
});

it("a page that fails leaves what is there, and says why", async () => {
  const failure = new ApiError("Busy.", "ServiceUnavailableError", 503);
  read
    .mockReset()
    .mockResolvedValueOnce(page(["a"], "next"))
    .mockRejectedValueOnce(failure);
  const map = useMapPhotos(read);
  await map.load();
  expect(map.state.value).toBe("failed");
  expect(map.error.value).toBe(failure);
  expect(map.photos.value).toHaveLength(1);
});

it("the photos in view are a list that follows changes", async () => {
  read.mockReset().mockResolvedValueOnce(page(["a", "b", "c"], null));
  const map = useMapPhotos(read);
  await map.load();
  const list = map.listOf(map.photos);
  expect(list.positionOf("b")).toBe(1);
  list.update({ ...photo("b"), desc: "At the sea" });
  expect(list.at(1)?.desc).toBe("At the sea");
  list.update({ ...photo("b"), geotag_lat: null, geotag_lng: null });
  expect(list.positionOf("b")).toBe(-1);
  list.remove(["a"]);
  expect(list.sections.value).toEqual([{ month: "", count: 1 }]);
  expect(map.listOf(shallowRef([])).sections.value).toEqual([{ month: "", count: 0 }]);
});
