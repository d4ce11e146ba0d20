/** The photos of one range of months, as far as they are loaded. */
import type { ListQuery, Photo, PhotoPage } from "@/api/types";
import { PAGE, type Range } from "./ranges";
import { monthOf, renewalTime, type Section } from "./source";

/** A page that was loaded once. Its photos may have been dropped; its cursor loads them again. */
interface Page {
  readonly cursor: string;
  first: number;
  count: number;
  isLoaded: boolean;
  loadedAt: number;
  renewAt: number;
  /** Which call of `load` was the last that needed it. */
  usedBy: number;
}

const LARGEST_PAGE = 1000;
/** Enough to see whether a range ends where its counters say. */
const A_FEW = 50;
const MINUTE = 60_000;

export class Block {
  /** Position of its first photo in the whole list. */
  first = 0;
  sections: readonly Section[];
  /** As many as the sections count. */
  readonly photos: (Photo | undefined)[];
  readonly ids: (string | undefined)[];
  private readonly pages: Page[] = [];
  /** Where to continue; null when all pages are known. */
  private cursor: string | null = "";

  constructor(private readonly range: Range) {
    this.sections = range.sections;
    this.photos = Array<Photo | undefined>(range.count).fill(undefined);
    this.ids = Array<string | undefined>(range.count).fill(undefined);
  }

  get count(): number {
    return this.photos.length;
  }

  private get known(): number {
    const last = this.pages.at(-1);
    return last ? last.first + last.count : 0;
  }

  /** Return the request for what is missing between two of its photos, or null. */
  missing(first: number, last: number, now: number): ListQuery | null {
    const page = this.pages.find(
      (each) =>
        each.first <= last &&
        each.first + each.count > first &&
        (!each.isLoaded || each.renewAt <= now),
    );
    if (page) return this.request(page.cursor, page.count);
    // If there are more than the counters say, read on, or they would never be shown.
    const continues = this.cursor !== null && (last >= this.known || this.known >= this.count);
    if (!continues) return null;
    const limit = last < this.known ? A_FEW : Math.max(PAGE, last + 1 - this.known);
    return this.request(this.cursor ?? "", limit);
  }

  private request(cursor: string, limit: number): ListQuery {
    return {
      ...this.range.query,
      limit: Math.min(LARGEST_PAGE, limit),
      urls: "thumb",
      ...(cursor && { cursor }),
    };
  }

  /** Return how many of the first photos of a list belong to this range. */
  countOwn(photos: readonly Photo[]): number {
    const end = photos.findIndex((photo) => monthOf(photo) < this.range.oldest);
    return end < 0 ? photos.length : end;
  }

  /** Take the response to a request of `missing`, and return the photos that belong here. */
  accept(
    cursor: string,
    response: Pick<PhotoPage, "photos" | "nextCursor">,
    now: number,
    usedBy: number,
  ): readonly Photo[] {
    // Requests of the newest range have no end.
    const photos = response.photos.slice(0, this.countOwn(response.photos));
    const isPast = photos.length < response.photos.length;
    const page = this.pages.find((each) => each.cursor === cursor);
    const loaded = {
      isLoaded: true,
      loadedAt: now,
      renewAt: renewalTime(photos, now),
      usedBy,
    };
    if (page) {
      this.replace(page, photos);
      Object.assign(page, loaded);
    } else {
      const first = this.known;
      this.pages.push({ cursor, first, count: photos.length, ...loaded });
      this.write(first, photos);
      this.cursor = isPast ? null : response.nextCursor;
      if (this.cursor === null) this.photos.length = this.ids.length = first + photos.length;
      this.recount();
    }
    return photos;
  }

  private write(first: number, photos: readonly Photo[]): void {
    photos.forEach((photo, index) => {
      this.photos[first + index] = photo;
      this.ids[first + index] = photo.id;
    });
  }

  /** Put a page that was loaded again in its place; in the meantime, its length may have changed. */
  private replace(page: Page, photos: readonly Photo[]): void {
    const { first, count } = page;
    this.photos.splice(first, count, ...photos);
    this.ids.splice(first, count, ...photos.map(({ id }) => id));
    page.count = photos.length;
    this.moveAfter(page, photos.length - count);
    if (photos.length !== count) this.recount();
  }

  private moveAfter(page: Page, difference: number): void {
    for (const each of this.pages.slice(this.pages.indexOf(page) + 1)) each.first += difference;
  }

  /** Correct the sections. Counters and photos are read at different moments. */
  private recount(): void {
    if (this.sections.length === 1 && this.count > 0) {
      this.sections = [{ month: this.sections[0]?.month ?? "", count: this.count }];
    }
    if (this.cursor !== null || this.photos.includes(undefined)) return;
    const counts = new Map<string, number>();
    for (const photo of this.photos) {
      const month = photo ? monthOf(photo) : "";
      counts.set(month, (counts.get(month) ?? 0) + 1);
    }
    this.sections = Array.from(counts, ([month, count]) => ({ month, count }));
  }

  /** Show photos from before a refresh until it has been loaded again. */
  keep(photos: readonly (Photo | undefined)[], first: number, count: number): void {
    photos.slice(0, count).forEach((photo, index) => {
      this.photos[first + index] = photo;
      this.ids[first + index] = photo?.id;
    });
  }

  replaceOne(photo: Photo): void {
    const index = this.ids.indexOf(photo.id);
    if (this.photos[index]) this.photos[index] = photo;
  }

  /** Take a photo out, also one whose page was dropped. */
  remove(id: string): void {
    const index = this.ids.indexOf(id);
    if (index < 0) return;
    this.photos.splice(index, 1);
    this.ids.splice(index, 1);
    const page = this.pages.find((each) => index >= each.first && index < each.first + each.count);
    if (page) {
      page.count -= 1;
      this.moveAfter(page, -1);
    }
    this.sections = withoutOne(this.sections, index);
  }

  /** Note that photos are shown, so that others are dropped first. */
  touch(first: number, last: number, usedBy: number): void {
    for (const page of this.pages) {
      if (page.first <= last && page.first + page.count > first) page.usedBy = usedBy;
    }
  }

  /** Have the page of a photo loaded again, unless it has been within a minute. */
  expire(index: number, now: number): void {
    const page = this.pages.find((each) => index >= each.first && index < each.first + each.count);
    if (page && now - page.loadedAt >= MINUTE) page.renewAt = 0;
  }

  /** Return its pages that are loaded, with what drops their photos. */
  loadedPages(): { usedBy: number; count: number; drop: () => void }[] {
    return this.pages
      .filter(({ isLoaded }) => isLoaded)
      .map((page) => ({
        usedBy: page.usedBy,
        count: page.count,
        drop: () => {
          page.isLoaded = false;
          this.photos.fill(undefined, page.first, page.first + page.count);
        },
      }));
  }
}

function withoutOne(sections: readonly Section[], index: number): Section[] {
  let end = 0;
  let isDone = false;
  return sections
    .map((section) => {
      end += section.count;
      if (isDone || index >= end) return section;
      isDone = true;
      return { ...section, count: section.count - 1 };
    })
    .filter(({ count }) => count > 0);
}
