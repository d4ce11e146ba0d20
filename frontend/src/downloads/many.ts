/** Several originals as one zip, with a message that shows how far it is. */
import type { Photo } from "@/api/types";
import { messageOf } from "@/api/errors";
import { removeNotice, setNotice } from "@/composables/notices";
import { text } from "@/text/en";
import { original } from "./original";
import { saveStream } from "./save";
import { zipOf, type Outcome } from "./zip";

/** Download photos as one zip. Raises ApiError. */
export async function downloadZip(photos: readonly Photo[]): Promise<void> {
  const id = `download-${crypto.randomUUID()}`;
  const cancelled = new AbortController();
  const outcome: Outcome = { failed: [], reason: null };
  const cancel = () => {
    cancelled.abort();
    removeNotice(id);
  };
  const show = (done: number) => {
    if (cancelled.signal.aborted) return;
    setNotice(id, {
      message: text.downloads.many(photos.length),
      progress: { value: done, max: photos.length },
      action: { label: text.form.cancel, run: cancel },
    });
  };
  show(0);
  const size = photos.reduce((sum, { filesize }) => sum + filesize, 0);
  try {
    const stream = zipOf(photos, original, cancelled.signal, show, outcome);
    await saveStream(stream, zipName(), size, cancel);
  } catch (error) {
    if (!cancelled.signal.aborted && !isDismissed(error)) throw error;
  } finally {
    removeNotice(id);
  }
  if (!cancelled.signal.aborted) reportOutcome(id, photos.length, outcome);
}

function reportOutcome(id: string, count: number, { failed, reason }: Outcome): void {
  // What went well, the browser shows among its downloads.
  if (failed.length === 0) return;
  setNotice(id, { message: text.downloads.failed(count, failed, messageOf(reason)) });
}

function zipName(): string {
  const now = new Date();
  const parts = [now.getFullYear(), now.getMonth() + 1, now.getDate()];
  const day = parts.map((part) => String(part).padStart(2, "0")).join("-");
  return `${text.app} ${day}.zip`;
}

/** Whether the user closed the browser's dialog that asks where to save. */
function isDismissed(error: unknown): boolean {
  return error instanceof DOMException && error.name === "AbortError";
}
