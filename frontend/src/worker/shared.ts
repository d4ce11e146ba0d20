/** Files that people share with the installed web app, kept until a page takes them. */
import { PRIVATE_CACHES, SHARE_PATH } from "./messages";

/** The field of the form that manifest.webmanifest names. */
const FIELD = "photos";

/** Return whether a request has shared files. */
export function isShare(request: Request): boolean {
  return request.method === "POST" && new URL(request.url).pathname === SHARE_PATH;
}

/** Keep the files, and lead to the photos. */
export async function receive(request: Request): Promise<Response> {
  const form = await request.formData();
  const cache = await caches.open(PRIVATE_CACHES.shared);
  const files = form.getAll(FIELD).filter((value): value is File => value instanceof File);
  const batch = String(Date.now());
  for (const [position, file] of files.entries()) {
    const headers = {
      "Content-Type": file.type,
      "X-Name": encodeURIComponent(file.name),
      "X-Modified": String(file.lastModified),
    };
    const key = `${SHARE_PATH}/${batch}/${String(position).padStart(4, "0")}`;
    await cache.put(key, new Response(file, { headers }));
  }
  return Response.redirect("/#/photos", 303);
}
