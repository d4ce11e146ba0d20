/** The bytes of originals. */
import { api, data } from "@/api/client";
import { ApiError, errorOf, offlineError } from "@/api/errors";
import type { Photo } from "@/api/types";

const ATTEMPTS = 3;

/** Return a photo's original. Raises ApiError, or the reason that `signal` was aborted. */
export async function original(
  photo: Pick<Photo, "id" | "filesize">,
  signal?: AbortSignal,
): Promise<Blob> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await read(photo, signal);
    } catch (error) {
      signal?.throwIfAborted();
      const isTemporary = error instanceof ApiError && error.isTemporary;
      if (!isTemporary || attempt === ATTEMPTS) throw error;
      await new Promise((resolve) => setTimeout(resolve, 500 * 2 ** attempt));
    }
  }
}

/** Read an original with a URL that was signed for this moment: those of lists may have expired. */
async function read(photo: Pick<Photo, "id" | "filesize">, signal?: AbortSignal): Promise<Blob> {
  const options = signal ? { signal } : {};
  const path = { photo_id: photo.id };
  const fresh = (await data(api().GET("/photos/{photo_id}", { params: { path }, ...options })))
    .photo;
  try {
    // Never kept by the browser: originals are large, and are read once.
    const response = await fetch(fresh.originalSrc, { ...options, cache: "no-store" });
    if (!response.ok) throw errorOf(response, null);
    const body = await response.blob();
    if (body.size !== photo.filesize) throw offlineError(); // The connection broke.
    return body;
  } catch (error) {
    throw error instanceof ApiError || signal?.aborted ? error : offlineError();
  }
}
