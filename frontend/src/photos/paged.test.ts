import { describe, expect, it, vi } from "vitest";

import { ApiError } from "@/api/errors";
import type { ListQuery, Photo, PhotoPage } from "@/api/types";
import { pagedSource } from "./paged";
import { countOf } from "./source";

function photo(id: string, taken: string | null = "2026-11-03T10:00:00"): Photo {
  return { id, taken_date: taken, upload_date: "2025-01-31T23:59:00Z" } as Photo;
}

function page(ids: string[], nextCursor: string | null): PhotoPage {
  return { ok: true, photos: ids.map((id) => photo(id)), nextCursor };
}

function ids(source: ReturnType<typeof pagedSource>): (string | undefined)[] {
  return Array.from(
    { length: countOf(source.sections.value) },
    (_, position) => source.at(position)?.id,
  );
}

const read = vi.fn<(query: ListQuery) => Promise<PhotoPage>>();

describe("a list that grows page by page", () => {
  it("asks for its photos, thumbnails only", async () => {
    read.mockReset().mockResolvedValueOnce(page(["a"], null));
    const source = pagedSource("search?q=sea", { q: "sea" }, true, read);
    expect(source.state.value).toBe("loading");
    await source.load(0, 10);
    expect(read).toHaveBeenCalledExactlyOnceWith({ q: "sea", limit: 200, urls: "thumb" });
    expect(source.state.value).toBe("ready");
    expect(source.isComplete.value).toBe(true);
  });

  it("loads a further page only when its end is needed", async () => {
    read.mockReset().mockResolvedValueOnce(page(["a", "b"], "next"));
    const source = pagedSource("x", {}, true, read);
    await source.load(0, 1);
    await source.load(0, 1);
    expect(read).toHaveBeenCalledTimes(1);
    read.mockResolvedValueOnce(page(["c"], null));
    await source.load(1, 2);
    expect(read).toHaveBeenLastCalledWith({ limit: 200, urls: "thumb", cursor: "next" });
    expect(ids(source)).toEqual(["a", "b", "c"]);
    await source.load(0, 1000);
    expect(read).toHaveBeenCalledTimes(2);
  });

  it("reads past an empty page that is not the last", async () => {
    read
      .mockReset()
      .mockResolvedValueOnce(page([], "next"))
      .mockResolvedValueOnce(page(["a"], null));
    const source = pagedSource("x", {}, true, read);
    await source.load(0, 0);
    expect(ids(source)).toEqual(["a"]);
  });

  it("sends one request for simultaneous calls", async () => {
    read.mockReset().mockResolvedValueOnce(page(["a"], null));
    const source = pagedSource("x", {}, true, read);
    await Promise.all([source.load(0, 5), source.load(0, 5)]);
    expect(read).toHaveBeenCalledTimes(1);
  });

  it("shows no photo twice when pages overlap after a change", async () => {
    read
      .mockReset()
      .mockResolvedValueOnce(page(["a", "b"], "next"))
      .mockResolvedValueOnce(page(["b", "c"], null));
    const source = pagedSource("x", {}, true, read);
    await source.load(0, 2);
    expect(ids(source)).toEqual(["a", "b", "c"]);
    expect(source.positionOf("c")).toBe(2);
    expect(source.positionOf("z")).toBe(-1);
  });

  it("keeps what is loaded when a page fails, and tries again", async () => {
    const failure = new ApiError("Busy.", "ServiceUnavailableError", 503);
    read
      .mockReset()
      .mockResolvedValueOnce(page(["a"], "next"))
      .mockRejectedValueOnce(failure);
    const source = pagedSource("x", {}, true, read);
    await source.load(0, 0);
    await source.load(0, 1);
    expect(source.error.value).toBe(failure);
    expect(source.state.value).toBe("ready");
    expect(ids(source)).toEqual(["a"]);
    read.mockResolvedValueOnce(page(["b"], null));
    await source.load(0, 1);
    expect(source.error.value).toBeNull();
    expect(ids(source)).toEqual(["a", "b"]);
  });

  it("says so when nothing could be loaded", async () => {
    read.mockReset().mockRejectedValueOnce(new ApiError("Busy.", "X", 503));
    const source = pagedSource("x", {}, true, read);
    await source.load(0, 0);
    expect(source.state.value).toBe("failed");
  });

  it("replaces its photos in one step when it is read again", async () => {
    read.mockReset().mockResolvedValueOnce(page(["a", "b"], "next"));
    const source = pagedSource("x", {}, true, read);
    await source.load(0, 1);
    read.mockResolvedValueOnce(page(["b", "new"], null));
    const refreshed = source.refresh();
    expect(ids(source)).toEqual(["a", "b"]);
    await refreshed;
    expect(ids(source)).toEqual(["b", "new"]);
    expect(source.isComplete.value).toBe(true);
  });

  it("keeps its length when it is read again", async () => {
    read
      .mockReset()
      .mockResolvedValueOnce(page(["a", "b"], "next"))
      .mockResolvedValueOnce(page(["c"], "last"));
    const source = pagedSource("x", {}, true, read);
    await source.load(0, 2);
    read
      .mockResolvedValueOnce(page(["new", "a"], "next2"))
      .mockResolvedValueOnce(page(["b", "c"], "last2"));
    await source.refresh();
    expect(ids(source)).toEqual(["new", "a", "b", "c"]);
    expect(read).toHaveBeenCalledTimes(4);
  });

  it("drops the response of a page that a refresh has overtaken", async () => {
    let respond: (late: PhotoPage) => void = () => undefined;
    read.mockReset().mockResolvedValueOnce(page(["a"], "next"));
    const source = pagedSource("x", {}, true, read);
    await source.load(0, 0);
    read.mockReturnValueOnce(new Promise((resolve) => (respond = resolve)));
    const late = source.load(0, 1);
    read.mockResolvedValueOnce(page(["new1", "new2"], null));
    await source.refresh();
    respond(page(["b"], null));
    await late;
    expect(ids(source)).toEqual(["new1", "new2"]);
  });

  it("changes and removes photos in place", async () => {
    read.mockReset().mockResolvedValueOnce(page(["a", "b", "c"], null));
    const source = pagedSource("x", {}, true, read);
    await source.load(0, 0);
    source.update({ ...photo("b"), desc: "At the sea" });
    source.remove(["a", "unknown"]);
    expect(ids(source)).toEqual(["b", "c"]);
    expect(source.at(0)?.desc).toBe("At the sea");
  });
});

describe("signed URLs", () => {
  const signed = (id: string, version: string) =>
    ({
      ...photo(id),
      thumbSrc: `https://bucket/${id}?X-Amz-Expires=3600&v=${version}`,
    }) as Photo;

  async function loadedTwice() {
    read
      .mockReset()
      .mockResolvedValueOnce({ ok: true, photos: [signed("a", "1")], nextCursor: "next" })
      .mockResolvedValueOnce({ ok: true, photos: [signed("b", "1")], nextCursor: null });
    const source = pagedSource("x", {}, true, read);
    await source.load(0, 1);
    return source;
  }

  it("renews those of a page that is shown after half of their lifetime", async () => {
    vi.useFakeTimers();
    const source = await loadedTwice();
    vi.advanceTimersByTime(1_801_000);
    read.mockResolvedValueOnce({ ok: true, photos: [signed("b", "2")], nextCursor: null });
    await source.load(1, 1);
    await source.load(1, 1);
    expect(read).toHaveBeenCalledTimes(3);
    expect(read).toHaveBeenLastCalledWith({ limit: 200, urls: "thumb", cursor: "next" });
    expect(source.at(1)?.thumbSrc).toContain("v=2");
    expect(source.at(0)?.thumbSrc).toContain("v=1");
    vi.useRealTimers();
  });

  it("renews those of a page with a broken image, at most once a minute", async () => {
    vi.useFakeTimers();
    const source = await loadedTwice();
    await source.renew?.("b");
    expect(read).toHaveBeenCalledTimes(2);
    vi.advanceTimersByTime(61_000);
    read.mockResolvedValue({ ok: true, photos: [signed("b", "2")], nextCursor: null });
    await Promise.all([source.renew?.("b"), source.renew?.("b")]);
    expect(read).toHaveBeenCalledTimes(3);
    expect(source.at(1)?.thumbSrc).toContain("v=2");
    vi.useRealTimers();
  });
});

describe("headings", () => {
  it("has one for each month, local to the photo, or of the upload if it is undated", async () => {
    read.mockReset().mockResolvedValueOnce({
      ok: true,
      photos: [
        photo("a", "2026-11-01T00:10:00+13:00"),
        photo("b", "2026-10-31T23:50:00-11:00"),
        photo("c", "2026-10-01T00:00:00"),
        photo("d", null),
      ],
      nextCursor: null,
    });
    const source = pagedSource("x", {}, true, read);
    await source.load(0, 0);
    expect(source.sections.value).toEqual([
      { month: "2026-11", count: 1 },
      { month: "2026-10", count: 2 },
      { month: "2025-01", count: 1 },
    ]);
  });

  it("has none where the order is another one", async () => {
    read.mockReset().mockResolvedValueOnce(page(["a", "b"], null));
    const source = pagedSource("trash", {}, false, read);
    expect(source.sections.value).toEqual([]);
    await source.load(0, 0);
    expect(source.sections.value).toEqual([{ month: "", count: 2 }]);
  });
});
