// @vitest-environment happy-dom
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { effectScope, nextTick, ref, type EffectScope } from "vue";

import { ApiError } from "@/api/errors";
import type { Photo } from "@/api/types";
import { pagedSource, type ReadPage } from "@/photos/paged";
import { shownList } from "@/photos/sources";
import { stableUrl } from "@/photos/urls";
import { useViewer, type ReadPhoto, type Viewer } from "./viewer";

const read = vi.fn<ReadPhoto>();
let signature = 1;
let scope: EffectScope;

function photo(id: string, month = "2026-11"): Photo {
  return { id, taken_date: `${month}-03T10:00:00`, upload_date: "", desc: "" } as Photo;
}

function detail(id: string): Photo {
  return { ...photo(id), previewSrc: `https://bucket/${id}.jpg?signature=${String(signature)}` };
}

function open(id: string): { viewer: Viewer; id: ReturnType<typeof ref<string>> } {
  const current = ref(id);
  // Outside a component, there is nothing to unmount.
  vi.spyOn(console, "warn").mockImplementation(() => undefined);
  const viewer = scope.run(() => useViewer(current, read));
  if (!viewer) throw new Error("no scope");
  return { viewer, id: current };
}

async function listOf(...ids: string[]): Promise<void> {
  const list = pagedSource("x", {}, true, () =>
    Promise.resolve({ ok: true, photos: ids.map((id) => photo(id)), nextCursor: null }),
  );
  await list.load(0, 0);
  shownList.value = list;
}

beforeEach(() => {
  vi.useFakeTimers();
  scope = effectScope();
  signature = 1;
  read.mockReset().mockImplementation((id) => Promise.resolve(detail(id)));
  shownList.value = null;
});
afterEach(() => {
  scope.stop();
  vi.useRealTimers();
});

describe("the photos that are read", () => {
  it("are the open one, then its neighbors, each once", async () => {
    await listOf("a", "b", "c", "d");
    const { id } = open("b");
    await vi.advanceTimersByTimeAsync(100);
    expect(read.mock.calls.map(([which]) => which)).toEqual(["b", "c", "a"]);
    id.value = "c";
    await vi.advanceTimersByTimeAsync(100);
    expect(read.mock.calls.map(([which]) => which)).toEqual(["b", "c", "a", "d"]);
  });

  it("are not those that are only passed by", async () => {
    await listOf("a", "b", "c", "d", "e");
    const { id } = open("a");
    for (const next of ["b", "c", "d"]) {
      await vi.advanceTimersByTimeAsync(20);
      id.value = next;
      await nextTick();
    }
    await vi.advanceTimersByTimeAsync(100);
    expect(read.mock.calls.map(([which]) => which)).toEqual(["d", "e", "c"]);
  });

  it("are shown from the list until they are read", async () => {
    await listOf("a");
    const { viewer } = open("a");
    expect(viewer.photo.value?.previewSrc).toBeUndefined();
    await vi.advanceTimersByTimeAsync(100);
    expect(viewer.photo.value?.previewSrc).toBe("https://bucket/a.jpg?signature=1");
  });
});

describe("a photo that does not exist", () => {
  it("is said to be missing, unlike one that cannot be read", async () => {
    read.mockRejectedValueOnce(new ApiError("Gone.", "NotFoundError", 404));
    const { viewer } = open("a");
    await vi.advanceTimersByTimeAsync(100);
    expect(viewer.isMissing.value).toBe(true);
    read.mockRejectedValueOnce(new ApiError("Busy.", "ServiceUnavailableError", 503));
    const { viewer: other } = open("b");
    await vi.advanceTimersByTimeAsync(100);
    expect(other.isMissing.value).toBe(false);
    expect(other.failure.value?.message).toBe("Busy.");
    await other.retry();
    expect(other.failure.value).toBeUndefined();
  });
});

describe("a preview whose URL has expired", () => {
  it("gets another URL, once", async () => {
    const { viewer } = open("expired");
    await vi.advanceTimersByTimeAsync(100);
    const before = viewer.photo.value?.previewSrc ?? "";
    expect(stableUrl(before)).toBe(before);
    signature = 2;
    await viewer.imageFailed("expired");
    expect(stableUrl(viewer.photo.value?.previewSrc ?? "")).toContain("signature=2");
    expect(viewer.broken.has("expired")).toBe(false);
    signature = 3;
    await viewer.imageFailed("expired");
    expect(read).toHaveBeenCalledTimes(2);
    expect(viewer.broken.has("expired")).toBe(true);
  });

  it("gets the one that the album has given, if the expired one is of an earlier visit", async () => {
    expect(stableUrl("https://bucket/visited.jpg?signature=0")).toContain("signature=0");
    const { viewer } = open("visited");
    await vi.advanceTimersByTimeAsync(100);
    expect(stableUrl(viewer.photo.value?.previewSrc ?? "")).toContain("signature=0");
    await viewer.imageFailed("visited");
    expect(stableUrl(viewer.photo.value?.previewSrc ?? "")).toContain("signature=1");
    expect(viewer.broken.has("visited")).toBe(false);
    expect(read).toHaveBeenCalledTimes(1);
  });

  it("is broken if the next URL is the same", async () => {
    const { viewer } = open("same");
    await vi.advanceTimersByTimeAsync(100);
    await viewer.imageFailed("same");
    expect(viewer.broken.has("same")).toBe(true);
    await viewer.retry();
    expect(viewer.broken.has("same")).toBe(false);
  });

  it("is renewed again after it was displayed", async () => {
    const { viewer } = open("again");
    await vi.advanceTimersByTimeAsync(100);
    for (signature = 2; signature < 4; signature++) {
      await viewer.imageFailed("again");
      viewer.imageLoaded("again");
    }
    expect(read).toHaveBeenCalledTimes(3);
    expect(viewer.broken.has("again")).toBe(false);
  });
});

describe("a photo that was opened by its address", () => {
  it("is found in a list that has not been loaded so far", async () => {
    const page = vi.fn<ReadPage>();
    page
      .mockResolvedValueOnce({ ok: true, photos: [photo("z", "2026-12")], nextCursor: "2" })
      .mockResolvedValueOnce({ ok: true, photos: [photo("y", "2026-12")], nextCursor: "3" })
      .mockResolvedValueOnce({ ok: true, photos: ["a", "b"].map((id) => photo(id)), nextCursor: null }); // prettier-ignore
    const list = pagedSource("x", {}, true, page);
    shownList.value = list;
    const { viewer } = open("a");
    await list.load(0, 0);
    await vi.advanceTimersByTimeAsync(500);
    expect(viewer.position.value).toBe(2);
    expect(viewer.previous.value?.id).toBe("y");
    expect(viewer.next.value?.id).toBe("b");
  });

  it("does not load a list beyond the month that the photo would be in", async () => {
    const page = vi.fn<ReadPage>();
    page.mockResolvedValue({ ok: true, photos: [photo("old", "2020-01")], nextCursor: "more" });
    const list = pagedSource("x", {}, true, page);
    shownList.value = list;
    open("a");
    await list.load(0, 0);
    await vi.advanceTimersByTimeAsync(500);
    expect(page).toHaveBeenCalledTimes(1);
  });
});

it("a change is shown in the viewer and in the list below it", async () => {
  await listOf("a", "b");
  const { viewer } = open("a");
  viewer.change({ ...photo("a"), favorite: true });
  expect(viewer.photo.value?.favorite).toBe(true);
  expect(shownList.value?.at(0)?.favorite).toBe(true);
});
