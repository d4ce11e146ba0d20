/** Thumbnails and previews, kept by their path: URLs are signed again, their bytes never change. */
import { BoundedCache } from "./bounded";
import { DatabaseIndex } from "./database";
import { PRIVATE_CACHES } from "./messages";

const LIMIT = 500_000_000; // bytes
/** The browser deletes everything of an origin that exceeds its quota. */
const QUOTA_SHARE = 0.5;
const RENDITION = /\/(thumbnails|previews)\//;

const kept = new BoundedCache(
  () => caches.open(PRIVATE_CACHES.images),
  new DatabaseIndex("images"),
  limit,
);

/** Return whether a request is for an image that a page displays. */
export function isImage(request: Request): boolean {
  const url = new URL(request.url);
  if (request.method !== "GET" || !url.searchParams.has("X-Amz-Signature")) return false;
  return request.destination === "image" || RENDITION.test(url.pathname);
}

/** Return a kept image, else one from the bucket, which is then kept. */
export async function image(event: FetchEvent): Promise<Response> {
  const { request } = event;
  const key = keyOf(request.url);
  const found = await kept.match(key).catch(() => undefined);
  if (found) {
    event.waitUntil(kept.touch(key));
    return found;
  }
  const response = await load(request.url, request.signal);
  if (isWorthKeeping(response)) event.waitUntil(kept.put(key, response.clone()));
  return response;
}

/** Keep images that a page displayed before the worker was there. */
export async function keepImages(urls: readonly string[]): Promise<void> {
  for (const url of urls) {
    const key = keyOf(url);
    if (await kept.match(key)) continue;
    const response = await load(url).catch(() => null);
    if (response && isWorthKeeping(response)) await kept.put(key, response);
  }
}

/** Forget all images. */
export async function forgetImages(): Promise<void> {
  await kept.clear(() => caches.delete(PRIVATE_CACHES.images));
}

function keyOf(url: string): string {
  const { origin, pathname } = new URL(url);
  return origin + pathname;
}

/**
 * Fetch an image with CORS, also for an element without `crossorigin`: an opaque response hides
 * whether it is an error, and counts as megabytes in the quota.
 */
async function load(url: string, signal?: AbortSignal): Promise<Response> {
  const options: RequestInit = { mode: "cors", credentials: "omit", ...(signal && { signal }) };
  try {
    return await fetch(url, options);
  } catch (error) {
    if (signal?.aborted || !navigator.onLine) throw error;
    // The browser's own cache may have a response without CORS headers, from before the worker.
    return fetch(url, { ...options, cache: "reload" });
  }
}

function isWorthKeeping(response: Response): boolean {
  const type = response.headers.get("Content-Type") ?? "";
  return response.status === 200 && response.type !== "opaque" && type.startsWith("image/");
}

let computed: Promise<number> | null = null;

function limit(): Promise<number> {
  computed ??= navigator.storage
    .estimate()
    .then(({ quota }) => Math.min(LIMIT, (quota ?? Infinity) * QUOTA_SHARE))
    .catch(() => LIMIT);
  return computed;
}
