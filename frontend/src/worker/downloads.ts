/** Downloads that a page makes piece by piece, served as files of the album's own. */
import { downloadOf, type DownloadPart, type DownloadRequest } from "./messages";

interface Download {
  name: string;
  port: MessagePort;
}

const waiting = new Map<string, Download>();

/** Serve what will arrive through `port`. */
export function announceDownload(id: string, name: string, port: MessagePort): void {
  waiting.set(id, { name, port });
  send(port, "ready");
}

/** Return the ID of the download that a request is for, or null. */
export function requestedDownload(request: Request): string | null {
  return request.method === "GET" ? downloadOf(new URL(request.url).pathname) : null;
}

/** Return a download as a response that asks for its next piece when it is needed. */
export function download(id: string): Response {
  const found = waiting.get(id);
  waiting.delete(id);
  // To the browser, 204 means to stay on the page.
  if (!found) return new Response(null, { status: 204 });
  return new Response(streamOf(found.port), {
    headers: {
      "Content-Type": "application/zip",
      "Content-Disposition": disposition(found.name),
      "X-Content-Type-Options": "nosniff",
    },
  });
}

function streamOf(port: MessagePort): ReadableStream<Uint8Array<ArrayBuffer>> {
  let isEnded = false;
  return new ReadableStream({
    pull: (controller) =>
      new Promise((resolve) => {
        port.onmessage = ({ data }: MessageEvent<DownloadPart>) => {
          if (data.type === "chunk") controller.enqueue(data.chunk);
          else {
            isEnded = true;
            if (data.type === "end") controller.close();
            else controller.error(new Error("The page has ended the download."));
            port.close();
          }
          resolve();
        };
        send(port, "next");
      }),
    cancel: () => {
      if (!isEnded) send(port, "cancel");
    },
  });
}

function send(port: MessagePort, request: DownloadRequest): void {
  port.postMessage(request);
}

/** Return the header that gives a download its name (RFC 6266, RFC 5987). */
export function disposition(name: string): string {
  const ascii = name.replaceAll(/[^ -~]|["\\%]/g, "_");
  const encoded = encodeURIComponent(name).replaceAll(
    /['()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `attachment; filename="${ascii}"; filename*=UTF-8''${encoded}`;
}
