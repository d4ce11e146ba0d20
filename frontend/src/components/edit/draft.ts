/** A photo's fields as they are typed, and what to send of them. */
import { ApiError } from "@/api/errors";
import type { components } from "@/api/schema";
import type { Photo } from "@/api/types";
import { fromDateField, toDateField } from "@/photos/dates";
import { text } from "@/text/en";
import { parsePlace, placeOf } from "./place";
import { splitTags } from "./tags";

export type PhotoEdit = components["schemas"]["PhotoEdit"];

export interface Draft {
  desc: string;
  tags: string;
  date: string;
  place: string;
  latitude: string;
  longitude: string;
}

export type Errors = Partial<Record<keyof Draft, string>>;

/** Return the fields of a photo as they are shown. */
export function draftOf(photo: Photo): Draft {
  return {
    desc: photo.desc,
    tags: splitTags(photo.tags).join(", "),
    date: toDateField(photo.taken_date),
    place: placeOf(photo),
    latitude: photo.geotag_lat === null ? "" : String(photo.geotag_lat),
    longitude: photo.geotag_lng === null ? "" : String(photo.geotag_lng),
  };
}

export function isSame(a: Draft, b: Draft): boolean {
  return (Object.keys(a) as (keyof Draft)[]).every((field) => a[field] === b[field]);
}

/** Return an error for each field whose text makes no sense. */
export function errorsOf(draft: Draft): Errors {
  const hasPosition = !!(draft.latitude.trim() || draft.longitude.trim());
  return {
    ...(fromDateField(draft.date, null) === undefined && { date: text.edit.dateError }),
    ...(hasPosition &&
      degrees(draft.latitude, 90) === null && { latitude: text.edit.latitudeError }),
    ...(hasPosition &&
      degrees(draft.longitude, 180) === null && { longitude: text.edit.longitudeError }),
  };
}

/** Return what has changed, in the API's fields; null clears one. The draft has no errors. */
export function changesOf(draft: Draft, photo: Photo): PhotoEdit {
  const before = draftOf(photo);
  const changes: PhotoEdit = {};
  if (draft.desc !== before.desc) changes.desc = draft.desc.trim() || null;
  if (draft.tags !== before.tags) changes.tags = splitTags(draft.tags).join(",") || null;
  if (draft.date !== before.date) {
    changes.taken_date = fromDateField(draft.date, photo.taken_date) ?? null;
  }
  if (draft.place !== before.place) {
    const place = parsePlace(draft.place, photo);
    for (const part of ["address", "city", "nation"] as const) {
      if (place[part] !== photo[part]) changes[part] = place[part];
    }
  }
  if (draft.latitude !== before.latitude || draft.longitude !== before.longitude) {
    // The album takes both halves of a position, or none.
    changes.geotag_lat = degrees(draft.latitude, 90);
    changes.geotag_lng = degrees(draft.longitude, 180);
  }
  return changes;
}

/** Return what undoes changes. */
export function reverseOf(changes: PhotoEdit, photo: Photo): PhotoEdit {
  const fields = Object.keys(changes) as (keyof PhotoEdit & keyof Photo)[];
  return Object.fromEntries(
    fields.map((field) => [field, photo[field] === "" ? null : photo[field]]),
  );
}

/** Return a number of degrees as typed, or null if it is none or out of range. */
export function degrees(typed: string, largest: number): number | null {
  const value = Number(typed.trim().replace(",", "."));
  return typed.trim() && Math.abs(value) <= largest ? value : null;
}

const FIELDS: Readonly<Record<string, keyof Draft>> = {
  desc: "desc",
  tags: "tags",
  taken_date: "date",
  address: "place",
  city: "place",
  nation: "place",
  geotag_lat: "latitude",
  geotag_lng: "longitude",
};

/** Return the album's message next to the field that it begins with, or null. */
export function fieldOf(error: unknown): Errors | null {
  if (!(error instanceof ApiError) || error.status !== 400) return null;
  const field = FIELDS[/^\w+/.exec(error.message)?.[0] ?? ""];
  return field ? { [field]: error.message } : null;
}

/** What was typed when a session ended: sign-in returns to it. */
const kept = new Map<string, Draft>();

export function keepDraft(id: string, draft: Draft): void {
  kept.set(id, { ...draft });
}

export function hasDraft(id: string): boolean {
  return kept.has(id);
}

/** Return the draft that was kept for a photo, once. */
export function takeDraft(id: string): Draft | undefined {
  const draft = kept.get(id);
  kept.delete(id);
  return draft;
}
