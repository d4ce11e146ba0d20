/** The names and times of photos outside of the album. */
import type { Photo } from "@/api/types";

const EXTENSIONS: Partial<Record<string, string>> = {
  "image/jpeg": "jpg",
  "image/png": "png",
  "image/gif": "gif",
  "image/webp": "webp",
  "image/bmp": "bmp",
  "image/tiff": "tif",
  "image/heic": "heic",
  "image/heif": "heif",
  "image/avif": "avif",
};

/**
 * What no file name may have, on one system or another, with control characters, halves of
 * characters, and the marks that change the direction of text.
 */
const UNSAFE = /[\p{Cc}\p{Cs}<>:"/\\|?*\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

type Named = Pick<Photo, "filename_orig" | "content_type">;

/** Return the name of a photo's file. */
export function fileName(photo: Named): string {
  const name = (photo.filename_orig ?? "")
    .replaceAll(UNSAFE, "_")
    // Windows drops dots and spaces at the end, and files with a dot at the beginning are hidden.
    .replace(/^[. ]+|[. ]+$/g, "");
  return name || `photo.${EXTENSIONS[photo.content_type] ?? "bin"}`;
}

/** Return names that differ from each other, also where upper and lower case are the same. */
export function uniqueNames(photos: readonly Named[]): string[] {
  const used = new Set<string>();
  return photos.map((photo) => {
    const name = fileName(photo);
    let unique = name;
    for (let count = 1; used.has(keyOf(unique)); count++) unique = numbered(name, count);
    used.add(keyOf(unique));
    return unique;
  });
}

function keyOf(name: string): string {
  return name.normalize("NFC").toLowerCase();
}

function numbered(name: string, count: number): string {
  const dot = name.lastIndexOf(".");
  const end = dot > 0 ? dot : name.length;
  return `${name.slice(0, end)} (${String(count)})${name.slice(end)}`;
}

/**
 * Return when a photo was taken, else uploaded, as a clock at its place showed it: the times in a
 * zip have no zone.
 */
export function localTime(photo: Pick<Photo, "taken_date" | "upload_date">): Date {
  const [, wallClock] = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)/.exec(photo.taken_date ?? "") ?? [];
  const time = new Date(wallClock ?? photo.upload_date);
  // A zip begins with 1980 and ends with 2107.
  const year = Math.min(Math.max(time.getFullYear(), 1980), 2107);
  if (year !== time.getFullYear()) return new Date(year, 0, 1);
  return time;
}
