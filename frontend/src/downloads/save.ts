/** Ways to save what a page has made. */
import { ApiError } from "@/api/errors";
import { text } from "@/text/en";
import {
  downloadUrl,
  type DownloadPart,
  type DownloadRequest,
  type ToWorker,
} from "@/worker/messages";

/** Safari fails with larger ones, and elsewhere they fill the memory. */
export const LARGEST_BLOB = 500_000_000; // bytes

const AWAKE_EVERY_MS = 10_000;
/** The browser may need the file for a while after the click. */
const REVOKE_AFTER_MS = 60_000;

/** Save a file that is in memory. */
export function saveBlob(blob: Blob, name: string): void {
  const url = URL.createObjectURL(blob);
  click(url, name);
  setTimeout(() => {
    URL.revokeObjectURL(url);
  }, REVOKE_AFTER_MS);
}

/**
 * Save a stream under a name, without holding it in memory if the browser can do so: `size` is what
 * it will have at least. `onCancel` runs when the user cancels it in the browser. Raises ApiError.
 */
export async function saveStream(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  name: string,
  size: number,
  onCancel: () => void,
): Promise<void> {
  const worker = await activeWorker();
  if (worker) return saveThroughWorker(worker, stream, name, onCancel);
  const picker = window.showSaveFilePicker;
  if (picker) {
    const handle = await picker({ suggestedName: name });
    return stream.pipeTo(await handle.createWritable());
  }
  if (size > LARGEST_BLOB) {
    await stream.cancel().catch(() => undefined);
    throw new ApiError(text.downloads.tooLarge, "DownloadTooLarge", 413);
  }
  saveBlob(await new Response(stream).blob(), name);
}

async function activeWorker(): Promise<ServiceWorker | null> {
  // Without a secure context, there is none.
  const container = navigator.serviceWorker as ServiceWorkerContainer | undefined;
  return (await container?.getRegistration().catch(() => undefined))?.active ?? null;
}

/** Have the service worker serve the stream as a file: it is then one of the browser's downloads. */
async function saveThroughWorker(
  worker: ServiceWorker,
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  name: string,
  onCancel: () => void,
): Promise<void> {
  const { port1: port, port2 } = new MessageChannel();
  const id = crypto.randomUUID();
  const reader = stream.getReader();
  const send = (message: ToWorker, transfer: Transferable[] = []) => {
    worker.postMessage(message, transfer);
  };
  const timer = setInterval(() => {
    send({ type: "stayAwake" });
  }, AWAKE_EVERY_MS);
  try {
    await new Promise<void>((resolve, reject) => {
      port.onmessage = async ({ data: request }: MessageEvent<DownloadRequest>) => {
        if (request === "ready") click(downloadUrl(id));
        else if (request === "cancel") {
          onCancel();
          await reader.cancel().catch(() => undefined);
          resolve();
        } else await sendNext(reader, port).then((isLast) => isLast && resolve(), reject);
      };
      send({ type: "download", id, name }, [port2]);
    });
  } finally {
    clearInterval(timer);
    port.close();
  }
}

/** Send the next piece; return whether it was the last one. */
async function sendNext(
  reader: ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>>,
  port: MessagePort,
): Promise<boolean> {
  try {
    const { done, value } = await reader.read();
    const part: DownloadPart = done ? { type: "end" } : { type: "chunk", chunk: value };
    port.postMessage(part);
    return done;
  } catch (error) {
    const part: DownloadPart = { type: "failed" };
    port.postMessage(part);
    throw error;
  }
}

/** Follow a link. Without a name, the response says that it is a file; the page stays. */
function click(url: string, name?: string): void {
  const link = document.createElement("a");
  link.href = url;
  if (name !== undefined) link.download = name;
  document.body.append(link);
  link.click();
  link.remove();
}

declare global {
  interface Window {
    /** Chromium only; see https://wicg.github.io/file-system-access/. */
    showSaveFilePicker?: (options: { suggestedName: string }) => Promise<FileSystemFileHandle>;
  }
}
