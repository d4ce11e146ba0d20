import { expect, it } from "vitest";

import { announceDownload, disposition, download, requestedDownload } from "./downloads";
import { downloadUrl, type DownloadPart, type DownloadRequest } from "./messages";

const bytes = (text: string) => new TextEncoder().encode(text);

/** Announce a download; what is asked for is taken from `parts`. */
function announce(id: string, parts: DownloadPart[]) {
  const { port1, port2 } = new MessageChannel();
  const requests: DownloadRequest[] = [];
  const cancelled = new Promise<void>((resolve) => {
    port1.onmessage = ({ data }: MessageEvent<DownloadRequest>) => {
      requests.push(data);
      if (data === "next") port1.postMessage(parts.shift());
      if (data === "cancel") resolve();
    };
  });
  announceDownload(id, "Álbum.zip", port2);
  return { requests, cancelled, close: () => port1.close() };
}

it("serves what a page sends as a file, piece by piece", async () => {
  const { requests, close } = announce("1", [
    { type: "chunk", chunk: bytes("one ") },
    { type: "chunk", chunk: bytes("two") },
    { type: "end" },
  ]);
  const response = download("1");
  expect(response.headers.get("Content-Type")).toBe("application/zip");
  expect(response.headers.get("Content-Disposition")).toMatch(/^attachment;/);
  expect(await response.text()).toBe("one two");
  expect(requests).toEqual(["ready", "next", "next", "next"]);
  close();
});

it("asks for a piece only when the browser has room for it", async () => {
  const parts = Array.from({ length: 9 }, (): DownloadPart => ({
    type: "chunk",
    chunk: bytes("x"),
  }));
  const { requests, cancelled, close } = announce("2", parts);
  const reader = download("2").body?.getReader();
  await reader?.read();
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(requests.length).toBeLessThanOrEqual(4);
  await reader?.cancel();
  await cancelled;
  close();
});

it("fails when the page does, so that half a file never looks complete", async () => {
  const { close } = announce("3", [{ type: "chunk", chunk: bytes("one") }, { type: "failed" }]);
  await expect(download("3").text()).rejects.toThrow("The page has ended the download.");
  close();
});

it("keeps the browser on its page if a download is unknown", () => {
  expect(download("4").status).toBe(204);
});

it("recognizes its own paths", () => {
  const request = new Request(`http://album.test${downloadUrl("5")}`);
  expect(requestedDownload(request)).toBe("5");
  expect(requestedDownload(new Request("http://album.test/photos/5"))).toBeNull();
});

it("names a file in UTF-8, with a plain name for old browsers", () => {
  expect(disposition(`Ál"bum (1).zip`)).toBe(
    `attachment; filename="_l_bum (1).zip"; filename*=UTF-8''%C3%81l%22bum%20%281%29.zip`,
  );
});
