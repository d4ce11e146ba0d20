/** What pages and the service worker send to each other. */
/** What the API answered to a page without a worker. */
export interface FirstRead {
  url: string;
  /** The header of the request: it says whose the response is. */
  authorization: string;
  body: string;
}

export type ToWorker =
  /** Replace the version that is running. */
  | { type: "activate" }
  /** Forget all photos and lists: the account has signed out. */
  | { type: "wipe" }
  /** Keep the images that were displayed, and what was read, before the worker was there. */
  | { type: "keep"; urls: readonly string[]; reads: readonly FirstRead[] }
  /** Serve what arrives through the port of this message as a download at `downloadUrl(id)`. */
  | { type: "download"; id: string; name: string }
  /** Browsers stop a worker that receives nothing for a while, and its downloads with it. */
  | { type: "stayAwake" };

/** Whether the last request of the API reached it; otherwise, its response is a kept one. */
export interface Connection {
  type: "connection";
  isOnline: boolean;
}

/** From the worker through the port of a download. */
export type DownloadRequest = "ready" | "next" | "cancel";

/** To the worker through the port of a download: `next` asked for it. */
export type DownloadPart =
  { type: "chunk"; chunk: Uint8Array<ArrayBuffer> } | { type: "end" } | { type: "failed" };

/** The caches that belong to an account, and are deleted when it signs out. */
export const PRIVATE_CACHES = { images: "images", replies: "replies", shared: "shared" } as const;

/** The database that knows how large the entries of these caches are, and when they were used. */
export const INDEX_DATABASE = "offline";

/** Where Android posts the files that people share with the album (manifest.webmanifest). */
export const SHARE_PATH = "/share-target";

const DOWNLOADS = "/downloads/";

/** Return the path at which the worker serves a download. */
export function downloadUrl(id: string): string {
  return DOWNLOADS + id;
}

/** Return the ID of the download at a path, or null. */
export function downloadOf(path: string): string | null {
  return path.startsWith(DOWNLOADS) ? path.slice(DOWNLOADS.length) : null;
}
