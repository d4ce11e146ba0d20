import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { ApiError } from "@/api/errors";
import type { ListQuery, Photo, PhotoPage } from "@/api/types";
import { countOf, monthOf, sectionsOf, type Section } from "./source";
import { timelineSource } from "./timeline";

/** An album that answers like the API: by dates, in pages. */
class Album {
  photos: Photo[] = [];
  counted: Section[] | null = null;
  queries: ListQuery[] = [];
  signal: AbortSignal | undefined;
  signed = 1;

  add(month: string, count: number, prefix = month): this {
    for (let number = 0; number < count; number++) {
      const day = String(28 - Math.floor((number * 28) / count)).padStart(2, "0");
      this.photos.push({
        id: `${prefix}/${String(number)}`,
        taken_date: `${month}-${day}T12:00:00`,
        upload_date: "2026-11-25T00:00:00Z",
      } as Photo);
    }
    return this.sort();
  }

  sort(): this {
    const key = ({ taken_date, id }: Photo) => `${taken_date ?? ""} ${id}`;
    this.photos.sort((a, b) => key(b).localeCompare(key(a)));
    return this;
  }

  months = vi.fn(() => Promise.resolve(this.counted ?? sectionsOf(this.photos)));

  page = vi.fn((query: ListQuery, signal?: AbortSignal): Promise<PhotoPage> => {
    this.queries.push(query);
    this.signal = signal;
    const { from = "", to = "9999-12-31", limit = 1000, cursor } = query;
    const found = this.photos.filter(({ taken_date }) => {
      const day = (taken_date ?? "").slice(0, 10);
      return day >= from && day <= to;
    });
    const start = cursor ? found.findIndex(({ id }) => id === cursor) : 0;
    const photos = found.slice(start, start + limit);
    return Promise.resolve({
      ok: true,
      photos: photos.map((photo) => ({
        ...photo,
        thumbSrc: `/${photo.id}?X-Amz-Expires=3600&v=${String(this.signed)}`,
      })),
      nextCursor: found[start + limit]?.id ?? null,
    });
  });
}

/** Return the IDs of all loaded photos, after checking that each is under its own month. */
function loadedIds(source: ReturnType<typeof timelineSource>): string[] {
  let position = 0;
  const ids: string[] = [];
  for (const { month, count } of source.sections.value) {
    for (let number = 0; number < count; number++) {
      const photo = source.at(position);
      if (photo) {
        expect(monthOf(photo)).toBe(month);
        expect(source.positionOf(photo.id)).toBe(position);
        ids.push(photo.id);
      }
      position += 1;
    }
  }
  return ids;
}

async function loadAll(source: ReturnType<typeof timelineSource>): Promise<void> {
  for (let first = 0; first < countOf(source.sections.value); first += 100) {
    await source.load(first, first + 99);
  }
}

let album: Album;
beforeEach(() => {
  album = new Album();
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe("opening", () => {
  it("reads the months and the first page at the same time, and nothing else", async () => {
    album.add("2026-11", 100).add("2026-10", 100).add("2020-01", 500);
    const source = timelineSource("photos", album);
    expect(source.state.value).toBe("loading");
    await source.load(0, 80);
    await source.load(0, 150);
    expect(source.state.value).toBe("ready");
    expect(source.sections.value).toEqual([
      { month: "2026-11", count: 100 },
      { month: "2026-10", count: 100 },
      { month: "2020-01", count: 500 },
    ]);
    expect(loadedIds(source)).toHaveLength(200);
    expect(album.months).toHaveBeenCalledTimes(1);
    expect(album.queries).toEqual([{ limit: 250, urls: "thumb" }]);
  });

  it("knows that an album is empty", async () => {
    const source = timelineSource("photos", album);
    await source.load(0, 10);
    expect(source.state.value).toBe("ready");
    expect(source.sections.value).toEqual([]);
    expect(source.at(0)).toBeUndefined();
  });

  it("says so when it fails, and tries again", async () => {
    album.add("2026-11", 3);
    album.months.mockRejectedValueOnce(new ApiError("Busy.", "X", 503));
    const source = timelineSource("photos", album);
    await source.load(0, 10);
    expect(source.state.value).toBe("failed");
    expect(source.error.value?.message).toBe("Busy.");
    await source.load(0, 10);
    expect(source.state.value).toBe("ready");
    expect(source.error.value).toBeNull();
    expect(loadedIds(source)).toHaveLength(3);
  });
});

describe("months that are far away", () => {
  it("are read by their dates, small months together", async () => {
    album.add("2026-11", 240).add("2020-03", 30).add("2020-02", 30).add("2019-12", 300);
    const source = timelineSource("photos", album);
    await source.load(0, 10);
    await source.load(250, 260);
    expect(album.queries.at(-1)).toEqual({
      from: "2020-02-01",
      to: "2026-10-31",
      limit: 250,
      urls: "thumb",
    });
    await source.load(310, 320);
    expect(album.queries.at(-1)).toMatchObject({ to: "2020-01-31" });
    expect(album.queries.at(-1)).not.toHaveProperty("from");
    await loadAll(source);
    expect(loadedIds(source)).toEqual(album.photos.map(({ id }) => id));
  });

  it("have pages if they have many photos, and are read only as far as needed", async () => {
    album.add("2026-11", 1000);
    const source = timelineSource("photos", album);
    await source.load(0, 10);
    await source.load(250, 300);
    expect(album.queries).toHaveLength(2);
    expect(loadedIds(source)).toHaveLength(500);
    await source.load(990, 999);
    expect(album.queries).toHaveLength(3);
    expect(loadedIds(source)).toHaveLength(1000);
  });

  it("are requested once, however often they are asked for", async () => {
    album.add("2026-11", 240).add("2025-11", 200);
    const source = timelineSource("photos", album);
    await source.load(0, 10);
    await Promise.all([source.load(240, 300), source.load(241, 301), source.load(250, 310)]);
    await source.load(300, 320);
    expect(album.queries).toHaveLength(2);
  });

  it("are not requested if they were scrolled past while others were loading", async () => {
    for (let month = 1; month <= 12; month++) {
      album.add(`2020-${String(month).padStart(2, "0")}`, 200);
    }
    const source = timelineSource("photos", album);
    await source.load(0, 10);
    album.queries = [];
    const loads = [1, 2, 3, 4, 5, 6, 7, 8, 9].map((number) =>
      source.load(number * 200, number * 200 + 50),
    );
    await Promise.all(loads);
    // The first two were sent at once; of the others, only the last ones are still wanted.
    expect(album.queries.length).toBeLessThanOrEqual(5);
    expect(source.at(9 * 200)).toBeDefined();
    expect(source.at(4 * 200)).toBeUndefined();
  });

  it("make room for what is shown now, even if a request is stuck", async () => {
    for (let month = 1; month <= 9; month++) album.add(`2020-0${String(month)}`, 200);
    const source = timelineSource("photos", album);
    await source.load(0, 10);
    const signals: (AbortSignal | undefined)[] = [];
    const stuck = (_: ListQuery, signal?: AbortSignal) => {
      signals.push(signal);
      return new Promise<PhotoPage>(() => undefined);
    };
    album.page.mockImplementationOnce(stuck).mockImplementationOnce(stuck);
    for (const number of [1, 2]) void source.load(number * 200, number * 200 + 50);
    vi.advanceTimersByTime(400);
    for (const number of [4, 5, 6]) void source.load(number * 200, number * 200 + 50);
    await vi.waitFor(() => {
      expect(source.at(6 * 200)).toBeDefined();
    });
    expect(signals.some((signal) => signal?.aborted)).toBe(true);
  });

  it("stay where they are if they fail, and load when asked again", async () => {
    album.add("2026-11", 240).add("2025-11", 200);
    const source = timelineSource("photos", album);
    await source.load(0, 10);
    album.page.mockRejectedValueOnce(new ApiError("Busy.", "X", 503));
    await source.load(300, 310);
    expect(source.error.value?.message).toBe("Busy.");
    expect(source.state.value).toBe("ready");
    expect(countOf(source.sections.value)).toBe(440);
    await source.load(300, 310);
    expect(source.error.value).toBeNull();
    expect(source.at(300)).toBeDefined();
  });
});

describe("counters that differ from the photos", () => {
  it("are corrected by what is loaded", async () => {
    album.add("2026-11", 240).add("2025-11", 150).add("2024-12", 80);
    album.counted = [
      { month: "2026-11", count: 240 },
      { month: "2025-11", count: 155 },
      { month: "2025-10", count: 2 },
      { month: "2024-12", count: 70 },
    ];
    const source = timelineSource("photos", album);
    await source.load(0, 10);
    await loadAll(source);
    expect(source.sections.value).toEqual(sectionsOf(album.photos));
    expect(loadedIds(source)).toEqual(album.photos.map(({ id }) => id));
  });

  it("hide no photo of a month that has more than they say", async () => {
    album.add("2026-11", 600).add("2020-01", 10);
    album.counted = [
      { month: "2026-11", count: 250 },
      { month: "2020-01", count: 10 },
    ];
    const source = timelineSource("photos", album);
    await source.load(0, 10);
    await loadAll(source);
    await loadAll(source);
    expect(loadedIds(source)).toEqual(album.photos.map(({ id }) => id));
  });

  it("hide no photo of a month that they do not have yet", async () => {
    album.add("2026-12", 3, "new").add("2026-11", 100).add("2025-01", 2);
    album.counted = [
      { month: "2026-11", count: 100 },
      { month: "2025-01", count: 2 },
    ];
    const source = timelineSource("photos", album);
    await source.load(0, 10);
    expect(source.sections.value[0]).toEqual({ month: "2026-12", count: 3 });
    expect(loadedIds(source)).toHaveLength(105);
  });
});

describe("photos", () => {
  it("without a date are under the month of their upload", async () => {
    album.photos = [
      { id: "a", taken_date: null, upload_date: "2026-11-01T00:10:00Z" } as Photo,
      { id: "b", taken_date: "2026-10-31T23:50:00-11:00", upload_date: "2026-11-25" } as Photo,
    ];
    album.counted = [
      { month: "2026-11", count: 1 },
      { month: "2026-10", count: 1 },
    ];
    album.page.mockResolvedValueOnce({ ok: true, photos: album.photos, nextCursor: null });
    const source = timelineSource("photos", album);
    await source.load(0, 1);
    expect(loadedIds(source)).toEqual(["a", "b"]);
  });

  it("can be changed and removed, and their months follow", async () => {
    album.add("2026-11", 2).add("2026-10", 1);
    const source = timelineSource("photos", album);
    await source.load(0, 2);
    source.update({ ...source.at(0), desc: "At the sea" } as Photo);
    expect(source.at(0)?.desc).toBe("At the sea");
    source.remove(["2026-11/1", "2026-10/0", "unknown"]);
    expect(source.sections.value).toEqual([{ month: "2026-11", count: 1 }]);
    expect(source.positionOf("2026-11/1")).toBe(-1);
    expect(loadedIds(source)).toEqual(["2026-11/0"]);
  });

  it("stay visible during a refresh, which shows what was added", async () => {
    album.add("2026-11", 240).add("2025-11", 200).add("2024-11", 200);
    const source = timelineSource("photos", album);
    await source.load(0, 10);
    await source.load(440, 450);
    album.add("2026-12", 1, "new");
    const refreshed = source.refresh();
    const shown = source.at(440)?.id;
    expect(shown).toBeDefined();
    await refreshed;
    expect(source.at(0)?.id).toBe("new/0");
    expect(source.at(441)?.id).toBe(shown);
    const before = album.queries.length;
    await source.load(441, 450);
    expect(album.queries).toHaveLength(before + 1);
    await loadAll(source);
    expect(loadedIds(source)).toEqual(album.photos.map(({ id }) => id));
  });

  it("whose date was changed are shown once", async () => {
    album.add("2026-11", 240).add("2025-11", 10).add("2024-11", 300);
    const source = timelineSource("photos", album);
    await source.load(0, 10);
    await source.load(240, 249);
    album.photos = album.photos.map((photo) =>
      photo.id === "2025-11/3" ? { ...photo, taken_date: "2024-11-30T00:00:00" } : photo,
    );
    album.sort();
    await source.load(260, 270);
    const ids = loadedIds(source);
    expect(ids.filter((id) => id === "2025-11/3")).toHaveLength(1);
  });
});

describe("memory", () => {
  it("keeps the photos that were shown last, and loads the others again", async () => {
    for (let year = 2000; year < 2020; year++) album.add(`${String(year)}-01`, 200);
    const source = timelineSource("photos", album, 600);
    await source.load(0, 10);
    await loadAll(source);
    expect(loadedIds(source).length).toBeLessThanOrEqual(600);
    expect(source.at(3999)).toBeDefined();
    expect(source.at(0)).toBeUndefined();
    await source.load(0, 10);
    expect(source.at(0)?.id).toBe(album.photos[0]?.id);
    expect(countOf(source.sections.value)).toBe(4000);
  });

  it("removes a photo also after its page was dropped", async () => {
    for (let year = 2000; year < 2020; year++) album.add(`${String(year)}-01`, 200);
    const source = timelineSource("photos", album, 600);
    await source.load(0, 10);
    await loadAll(source);
    source.remove(["2019-01/5"]);
    expect(source.sections.value[0]).toEqual({ month: "2019-01", count: 199 });
  });
});

describe("signed URLs", () => {
  it("are renewed when photos are shown again after half of their lifetime", async () => {
    album.add("2026-11", 240).add("2025-11", 200);
    const source = timelineSource("photos", album);
    await source.load(0, 10);
    await source.load(240, 250);
    vi.advanceTimersByTime(1_801_000);
    album.signed = 2;
    await source.load(0, 10);
    await source.load(0, 10);
    expect(album.queries).toHaveLength(3);
    expect(source.at(0)?.thumbSrc).toContain("v=2");
    expect(source.at(240)?.thumbSrc).toContain("v=1");
  });

  it("of a range are renewed at most once a minute when images fail", async () => {
    album.add("2026-11", 100);
    const source = timelineSource("photos", album);
    await source.load(0, 10);
    await source.renew?.("2026-11/3");
    expect(album.queries).toHaveLength(1);
    vi.advanceTimersByTime(61_000);
    album.signed = 2;
    await Promise.all(["2026-11/3", "2026-11/4", "2026-11/5"].map((id) => source.renew?.(id)));
    expect(album.queries).toHaveLength(2);
    expect(source.at(3)?.thumbSrc).toContain("v=2");
  });
});
