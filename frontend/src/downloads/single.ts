/** One original, with its own file name. */
import type { Photo } from "@/api/types";
import { removeNotice, setNotice } from "@/composables/notices";
import { text } from "@/text/en";
import { fileName } from "./names";
import { original } from "./original";
import { saveBlob } from "./save";

/** A short download needs no message. */
const SHOW_AFTER_MS = 500;

/**
 * Download a photo's original. The bucket sends it to be shown, not to be saved, so the page reads
 * it; it has at most 100 MB. Raises ApiError.
 */
export async function downloadOne(photo: Photo): Promise<void> {
  const name = fileName(photo);
  const id = `download-${crypto.randomUUID()}`;
  const cancelled = new AbortController();
  const timer = setTimeout(() => {
    setNotice(id, {
      message: text.downloads.one(name),
      progress: {},
      action: {
        label: text.form.cancel,
        run: () => {
          cancelled.abort();
        },
      },
    });
  }, SHOW_AFTER_MS);
  try {
    saveBlob(await original(photo, cancelled.signal), name);
  } catch (error) {
    if (!cancelled.signal.aborted) throw error;
  } finally {
    clearTimeout(timer);
    removeNotice(id);
  }
}
