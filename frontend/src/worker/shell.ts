/**
 * The files of the web app, kept when a version is installed. Tabs of an older version may still
 * load parts of it, so its files stay until these tabs are closed.
 */
declare const self: ServiceWorkerGlobalScope;

/** Set by the build: the path and the hash of each file, and a hash of all of them. */
declare const __FILES__: readonly { url: string; integrity: string }[];
declare const __VERSION__: string;

const PREFIX = "app-";
const CURRENT = PREFIX + __VERSION__;
const CONFIG = "config";
const CONFIG_PATH = "/config.json";
/** With a last one at hand, nobody waits longer for the configuration. */
const CONFIG_WAIT_MS = 3_000;
/** In the cache of a version: the tabs that were open when a newer one replaced it. */
const TABS = "/~tabs";

const paths = new Set(__FILES__.map(({ url }) => url));

/** Keep all files of this version. It fails if one of them is of another version. */
export async function install(): Promise<void> {
  const cache = await caches.open(CURRENT);
  const requests = __FILES__.map(({ url, integrity }) => {
    // Assets have a hash in their names, so the browser may have them already.
    const isAsset = url.startsWith("/assets/");
    return new Request(url, { integrity, cache: isAsset ? "default" : "no-cache" });
  });
  await Promise.all([cache.addAll(requests), keepConfig()]);
}

/** Take over, and drop the versions that no tab uses. */
export async function activate(): Promise<void> {
  const open = (await tabs()).map(({ id }) => id);
  for (const name of await older()) {
    const cache = await caches.open(name);
    if (!(await cache.match(TABS))) await cache.put(TABS, Response.json(open));
  }
  await prune();
  await self.clients.claim();
}

/** Drop the older versions that no tab uses any longer. */
export async function prune(): Promise<void> {
  const names = await older();
  if (names.length === 0) return;
  const open = new Set((await tabs()).map(({ id }) => id));
  for (const name of names) {
    const response = await (await caches.open(name)).match(TABS);
    const users = response ? ((await response.json()) as string[]) : [];
    if (!users.some((id) => open.has(id))) await caches.delete(name);
  }
}

/** Return the path of a file of the web app that a request is for, or null. */
export function fileOf(request: Request): string | null {
  const { origin, pathname } = new URL(request.url);
  if (request.method !== "GET" || origin !== self.location.origin) return null;
  const path = pathname === "/index.html" ? "/" : pathname;
  if (request.mode === "navigate" && path !== "/") return null;
  return paths.has(path) || path.startsWith("/assets/") || path === CONFIG_PATH ? path : null;
}

/** Return a file, from the cache if it is there. */
export async function file(request: Request, path: string): Promise<Response> {
  if (path === CONFIG_PATH) return config(request);
  const current = await caches.match(path, { cacheName: CURRENT });
  if (current) return current;
  for (const name of await older()) {
    const found = await caches.match(path, { cacheName: name });
    if (found) return found;
  }
  return fetch(request);
}

/** Return the configuration from the network, or the last one if the album cannot be reached. */
async function config(request: Request): Promise<Response> {
  const cache = await caches.open(CONFIG);
  const last = await cache.match(CONFIG_PATH);
  const fresh = fetch(request).then(async (response) => {
    if (response.ok) await cache.put(CONFIG_PATH, response.clone());
    return response;
  });
  if (!last) return fresh;
  const fallback = new Promise<Response>((resolve) =>
    setTimeout(() => {
      resolve(last);
    }, CONFIG_WAIT_MS),
  );
  return Promise.race([fresh.catch(() => last), fallback]);
}

async function keepConfig(): Promise<void> {
  const response = await fetch(CONFIG_PATH, { cache: "no-cache" });
  if (response.ok) await (await caches.open(CONFIG)).put(CONFIG_PATH, response);
}

async function older(): Promise<string[]> {
  const names = await caches.keys();
  return names.filter((name) => name.startsWith(PREFIX) && name !== CURRENT).reverse();
}

function tabs(): Promise<readonly WindowClient[]> {
  return self.clients.matchAll({ type: "window", includeUncontrolled: true });
}
