/** A large album without a server: it answers the page's requests for photos like the API. */
import type { Page, Route } from "@playwright/test";

/** What the grid uses of a photo. */
export interface LibraryPhoto {
  id: string;
  filename_orig: string | null;
  desc: string;
  favorite: boolean;
  width: number;
  height: number;
  taken_date: string | null;
  upload_date: string;
  thumbhash: string | null;
  thumbSrc?: string;
}

export class Library {
  readonly requests: URL[] = [];
  /** Milliseconds before each response. */
  delay = 0;
  photos: LibraryPhoto[] = [];
  /** The signatures of URLs change when they are signed again. */
  signature = 1;

  /** Add photos to a month, one hour apart, newest first. */
  add(month: string, count: number, fields: Partial<LibraryPhoto> = {}): this {
    for (let number = 0; number < count; number++) {
      const moment = new Date(Date.parse(`${month}-28T23:00:00Z`) - number * 3_600_000);
      const [width, height] = SHAPES[number % SHAPES.length] ?? [3, 2];
      this.photos.push({
        id: `${month}-${String(number)}`,
        filename_orig: `IMG_${month}_${String(number)}.jpg`,
        desc: "",
        favorite: false,
        width: width * 100,
        height: height * 100,
        taken_date: moment.toISOString().slice(0, 19),
        upload_date: "2026-11-25T10:00:00Z",
        thumbhash: "3/cJPZqAh4eAiHh4iHh4iIBwCPh4",
        ...fields,
      });
    }
    return this;
  }

  /** Add `count` photos to each of a number of months, back from November 2026. */
  addMonths(months: number, count: number): this {
    for (let index = 0; index < months; index++) {
      const month = new Date(Date.UTC(2026, 10 - index, 1)).toISOString().slice(0, 7);
      this.add(month, count);
    }
    return this;
  }

  remove(ids: readonly string[]): void {
    this.photos = this.photos.filter(({ id }) => !ids.includes(id));
  }

  async serve(page: Page): Promise<void> {
    await page.route("**/photos/timeline", (route) => this.answer(route, () => this.timeline()));
    await page.route("**/photos?*", (route) => this.answer(route, (url) => this.page(url)));
  }

  private async answer(route: Route, body: (url: URL) => object): Promise<void> {
    const url = new URL(route.request().url());
    this.requests.push(url);
    await new Promise((resolve) => setTimeout(resolve, this.delay));
    // The page may have cancelled it.
    await route.fulfill({ json: { ok: true, ...body(url) } }).catch(() => undefined);
  }

  private timeline(): object {
    const counts = new Map<string, number>();
    for (const { taken_date, upload_date } of this.photos) {
      const month = (taken_date ?? upload_date).slice(0, 7);
      counts.set(month, (counts.get(month) ?? 0) + 1);
    }
    const months = Array.from(counts, ([month, count]) => ({ month, count }));
    return { photo_count: this.photos.length, months };
  }

  private page(url: URL): object {
    const { from = "", to = "9999-12-31", limit, cursor } = Object.fromEntries(url.searchParams);
    const found = this.photos.filter((photo) => {
      const day = (photo.taken_date ?? photo.upload_date).slice(0, 10);
      return day >= from && day <= to;
    });
    const start = Number(cursor ?? 0);
    const end = start + Number(limit);
    return {
      photos: found.slice(start, end).map((photo) => ({
        ...photo,
        thumbSrc:
          photo.thumbSrc ?? `/icon.svg?X-Amz-Expires=3600&signature=${String(this.signature)}`,
      })),
      nextCursor: end < found.length ? String(end) : null,
    };
  }
}

const SHAPES: [number, number][] = [
  [3, 2],
  [3, 4],
  [4, 3],
  [1, 1],
  [16, 9],
];
