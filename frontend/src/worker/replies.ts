/** The API's responses to reads, kept for each account, and used only when it is not reachable. */
import { accountOf } from "./account";
import { BoundedCache } from "./bounded";
import { DatabaseIndex } from "./database";
import { type Connection, type FirstRead, PRIVATE_CACHES } from "./messages";

const LIMIT = 50_000_000; // bytes: about 40,000 photos
const READ = /\/(photos(\/[^/]+)?|users\/me)$/;

const kept = new BoundedCache(
  () => caches.open(PRIVATE_CACHES.replies),
  new DatabaseIndex("replies"),
  () => Promise.resolve(LIMIT),
);

/** Return whether a request reads photos or the profile. */
export function isRead(request: Request): boolean {
  const url = new URL(request.url);
  return (
    request.method === "GET" &&
    READ.test(url.pathname) &&
    !url.searchParams.has("mode") && // a redirect to an image
    readerOf(request) !== null
  );
}

/** Return the API's response, or the last one if the API cannot be reached. */
export async function reply(event: FetchEvent): Promise<Response> {
  const { request } = event;
  const key = keyOf(request);
  let response: Response;
  try {
    response = await fetch(request);
  } catch (error) {
    if (request.signal.aborted) throw error;
    event.waitUntil(announce(event.clientId, false));
    const last = await kept.match(key);
    if (!last) throw error;
    event.waitUntil(kept.touch(key));
    return last;
  }
  event.waitUntil(announce(event.clientId, true));
  if (response.status === 200) event.waitUntil(kept.put(key, response.clone()));
  return response;
}

/** Keep what the API answered before the worker was there. */
export async function keepReplies(reads: readonly FirstRead[]): Promise<void> {
  for (const { url, authorization, body } of reads) {
    const request = new Request(url, { headers: { Authorization: authorization } });
    if (!isRead(request)) continue;
    const headers = { "Content-Type": "application/json" };
    await kept.put(keyOf(request), new Response(body, { headers }));
  }
}

/** Forget all responses. */
export async function forgetReplies(): Promise<void> {
  await kept.clear(() => caches.delete(PRIVATE_CACHES.replies));
}

/** Return the key of a response: it has the account and never the token. */
function keyOf(request: Request): string {
  const url = new URL(request.url);
  url.searchParams.set("~account", readerOf(request) ?? "");
  return url.href;
}

/** Return the account that sends a request, or null. */
function readerOf(request: Request): string | null {
  return accountOf(request.headers.get("Authorization") ?? "");
}

async function announce(clientId: string, isOnline: boolean): Promise<void> {
  const message: Connection = { type: "connection", isOnline };
  (await self.clients.get(clientId))?.postMessage(message);
}

declare const self: ServiceWorkerGlobalScope;
