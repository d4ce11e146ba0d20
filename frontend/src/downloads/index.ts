import { api, data } from "@/api/client";
import type { Photo } from "@/api/types";

/** Save originals to the device. */
export async function downloadPhotos(photos: readonly Photo[]): Promise<void> {
  for (const { id } of photos) {
    const params = { path: { photo_id: id } };
    const { photo } = await data(api().GET("/photos/{photo_id}", { params }));
    const response = await fetch((photo as Photo).originalSrc ?? "");
    const link = document.createElement("a");
    link.href = URL.createObjectURL(await response.blob());
    link.download = photo.filename_orig ?? photo.filename;
    link.click();
    URL.revokeObjectURL(link.href);
  }
}
