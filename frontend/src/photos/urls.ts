/** Signed URLs: the same image gets another URL when it is signed again, but has the same bytes. */

const LARGEST = 10_000;

/** The URL that each image was first requested with, by its path without the query. */
const first = new Map<string, string>();

/** Return the URL to load an image with: the one that was used before, so that it is cached. */
export function stableUrl(url: string): string {
  const path = pathOf(url);
  const known = first.get(path);
  if (known) return known;
  if (first.size >= LARGEST) first.delete(first.keys().next().value ?? "");
  first.set(path, url);
  return url;
}

/** Forget a URL that no longer works, as after its signature has expired. */
export function forgetUrl(url: string): void {
  first.delete(pathOf(url));
}

function pathOf(url: string): string {
  return url.split("?", 1)[0] ?? url;
}
