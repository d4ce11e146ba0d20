// @vitest-environment happy-dom
import { beforeEach, expect, it, vi } from "vitest";

import { LARGEST_BLOB, saveStream } from "./save";

const links: { href: string; name: string }[] = [];

beforeEach(() => {
  links.length = 0;
  vi.unstubAllGlobals();
  delete window.showSaveFilePicker;
  vi.spyOn(HTMLAnchorElement.prototype, "click").mockImplementation(function (
    this: HTMLAnchorElement,
  ) {
    links.push({ href: this.href, name: this.download });
  });
});

function streamOf(...chunks: string[]): ReadableStream<Uint8Array<ArrayBuffer>> {
  return new ReadableStream({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(new TextEncoder().encode(chunk));
      controller.close();
    },
  });
}

const nothing = () => undefined;

it("streams into a file that the user chooses, where there is no service worker", async () => {
  const written: Uint8Array[] = [];
  const writable = new WritableStream<Uint8Array>({
    write(chunk) {
      written.push(chunk);
    },
  });
  const picker = vi.fn(() =>
    Promise.resolve({
      createWritable: () => Promise.resolve(writable),
    } as unknown as FileSystemFileHandle),
  );
  window.showSaveFilePicker = picker;
  await saveStream(streamOf("one", "two"), "a.zip", 10 * LARGEST_BLOB, nothing);
  expect(picker).toHaveBeenCalledWith({ suggestedName: "a.zip" });
  expect(written).toHaveLength(2);
  expect(links).toEqual([]);
});

it("saves a small zip from memory, where the browser can do nothing else", async () => {
  await saveStream(streamOf("one"), "a.zip", 3, nothing);
  expect(links).toEqual([{ href: expect.stringMatching(/^blob:/) as string, name: "a.zip" }]);
});

it("refuses a large zip that the browser would have to hold in memory", async () => {
  const saving = saveStream(streamOf("one"), "a.zip", LARGEST_BLOB + 1, nothing);
  await expect(saving).rejects.toThrow("This browser cannot save more than 500 MB at once.");
  expect(links).toEqual([]);
});
