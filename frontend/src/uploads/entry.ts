/** A file in the queue: its states, and the only way from one to the next. Knows no browser. */

export type State = "waiting" | "uploading" | "processing" | "done" | "known" | "failed";

/**
 * Why a file failed: the album rejected it, could not be reached often enough, or the file is gone
 * ("lost": it must be dropped again; "locked": the browser asks before it is read again).
 */
export type FailureKind = "rejected" | "unreachable" | "lost" | "locked";

export interface Entry {
  readonly id: string;
  /** The user ID of the account that the file is for. */
  readonly owner: string;
  /** Increases in the order in which files are to be sent. */
  readonly order: number;
  readonly name: string;
  readonly size: number;
  readonly type: string;
  /** Milliseconds since 1970; with name and size, it recognizes a file that is dropped again. */
  readonly modified: number;
  /** The Idempotency-Key of all requests for this file. */
  readonly key: string;
  readonly state: State;
  readonly sha256: string | null;
  /** Whether the album has been asked if it knows the file. */
  readonly isChecked: boolean;
  /** Whether an earlier attempt was interrupted: it may have stored the photo. */
  readonly wasTried: boolean;
  /** Whether S3 has all bytes; only the completion is missing. */
  readonly isSent: boolean;
  /** The photo that was created, found, or is being uploaded. */
  readonly photoId: string | null;
  /** Whether the photo that was found is in the trash. */
  readonly isTrashed: boolean;
  /** Whether the phone erased the position before the browser got the file. */
  readonly lacksPosition: boolean;
  /** Whether the file can be read again after a reload. */
  readonly isSaved: boolean;
  readonly failure: { readonly kind: FailureKind; readonly reason: string } | null;
}

export type Event =
  | { type: "hashed"; sha256: string | null; lacksPosition: boolean }
  | { type: "checked" }
  | { type: "found"; photoId: string; isTrashed: boolean }
  | { type: "started" }
  | { type: "begun"; photoId: string }
  | { type: "sent" }
  | { type: "unsent" }
  | { type: "interrupted" }
  | { type: "stored"; photoId: string }
  | { type: "failed"; kind: FailureKind; reason: string }
  | { type: "retried"; key: string }
  | { type: "saved" }
  | { type: "restored" };

export interface FileFacts {
  name: string;
  size: number;
  type: string;
  lastModified: number;
}

/** Return the entry of a file that has just been chosen. */
export function newEntry(file: FileFacts, owner: string, order: number, id: string): Entry {
  return {
    id,
    owner,
    order,
    name: file.name,
    size: file.size,
    type: file.type,
    modified: file.lastModified,
    key: id,
    state: "waiting",
    sha256: null,
    isChecked: false,
    wasTried: false,
    isSent: false,
    photoId: null,
    isTrashed: false,
    lacksPosition: false,
    isSaved: false,
    failure: null,
  };
}

/** Return whether nothing more happens to an entry unless its owner asks. */
export function isOver({ state }: Entry): boolean {
  return state === "done" || state === "known" || state === "failed";
}

/** Return whether an entry is on its way to the album. */
export function isActive({ state }: Entry): boolean {
  return state === "uploading" || state === "processing";
}

/** Return the entry after an event; the same one if the event comes too late to matter. */
export function next(entry: Entry, event: Event): Entry {
  switch (event.type) {
    case "saved":
      return { ...entry, isSaved: true };
    case "restored":
      return entry.state === "known" ? { ...entry, isTrashed: false } : entry;
    case "retried":
      return entry.state === "failed" ? retried(entry, event.key) : entry;
    case "failed":
      return isOver(entry)
        ? entry
        : { ...entry, state: "failed", failure: { kind: event.kind, reason: event.reason } };
    default:
      return entry.state === "waiting"
        ? nextOfWaiting(entry, event)
        : isActive(entry)
          ? nextOfActive(entry, event)
          : entry;
  }
}

function nextOfWaiting(entry: Entry, event: Event): Entry {
  switch (event.type) {
    case "hashed":
      return { ...entry, sha256: event.sha256, lacksPosition: event.lacksPosition };
    case "checked":
      return { ...entry, isChecked: true };
    case "found":
      return found(entry, event);
    case "started":
      return { ...entry, state: entry.isSent ? "processing" : "uploading" };
    default:
      return entry;
  }
}

function nextOfActive(entry: Entry, event: Event): Entry {
  switch (event.type) {
    case "begun":
      return { ...entry, photoId: event.photoId };
    case "sent":
      // Without a photo that was begun, the request must be sent again as a whole.
      return { ...entry, state: "processing", isSent: entry.photoId !== null };
    case "unsent":
      return { ...entry, state: "uploading", isSent: false };
    case "interrupted":
      return { ...entry, state: "waiting", wasTried: true };
    case "stored":
      return { ...entry, state: "done", photoId: event.photoId };
    case "found":
      return found(entry, event);
    default:
      return entry;
  }
}

function found(entry: Entry, photo: { photoId: string; isTrashed: boolean }): Entry {
  return { ...entry, state: "known", photoId: photo.photoId, isTrashed: photo.isTrashed };
}

/**
 * A rejected file gets another key: with the old one, the album would only repeat its answer. All
 * other files keep theirs, since an earlier request may have succeeded.
 */
function retried(entry: Entry, key: string): Entry {
  const again: Entry = { ...entry, state: "waiting", failure: null };
  if (entry.failure?.kind !== "rejected") return again;
  return { ...again, key, isChecked: false, isSent: false, photoId: null };
}
