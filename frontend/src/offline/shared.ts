/** Files that were shared with the installed web app. */
import { enqueueFiles } from "@/uploads";
import { PRIVATE_CACHES } from "@/worker/messages";

/** Upload the files that the service worker has received. */
export async function takeShared(): Promise<void> {
  if (!(await caches.has(PRIVATE_CACHES.shared))) return;
  const cache = await caches.open(PRIVATE_CACHES.shared);
  const requests = await cache.keys();
  const files: File[] = [];
  for (const request of requests) {
    const response = await cache.match(request);
    if (response) files.push(await fileOf(response));
  }
  // The queue keeps them from here on; until it has them, they stay.
  if (files.length > 0) await enqueueFiles(files);
  await caches.delete(PRIVATE_CACHES.shared);
}

async function fileOf(response: Response): Promise<File> {
  const { headers } = response;
  return new File([await response.blob()], decodeURIComponent(headers.get("X-Name") ?? "photo"), {
    type: headers.get("Content-Type") ?? "",
    lastModified: Number(headers.get("X-Modified") ?? Date.now()),
  });
}
