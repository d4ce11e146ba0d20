/** Downloads of originals: one as it is, several as one zip. */
import type { Photo } from "@/api/types";
import { reportError } from "@/composables/status";

/** Download the originals of photos, in their order. Failures are reported to the user. */
export async function downloadPhotos(photos: readonly Photo[]): Promise<void> {
  try {
    if (photos.length === 1) {
      const [photo] = photos as [Photo];
      await (await import("./single")).downloadOne(photo);
    } else if (photos.length > 1) {
      await (await import("./many")).downloadZip(photos);
    }
  } catch (error) {
    reportError(error);
  }
}
