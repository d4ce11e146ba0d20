import "fake-indexeddb/auto";
import { IDBFactory } from "fake-indexeddb";
import { afterEach, beforeEach, expect, it, vi } from "vitest";

import { changes } from "@/photos/actions";
import { createInspector } from "./hash";
import { openQueue } from "./queue";
import { transport, type Outcome } from "./transport";
import type { Queue } from "./view";

vi.mock("./hash");
vi.mock("./transport");

const upload = vi.mocked(transport.upload);
const opened: Queue[] = [];

/** Of Node's blobs, which can be cloned into another tab and into the storage. */
function file(name: string): { file: File } {
  const type = name.endsWith(".jpg") ? "image/jpeg" : "text/plain";
  const blob = new Blob([name], { type }) as unknown as File;
  return { file: Object.assign(blob, { name, lastModified: 1 }) };
}

async function open(owner: string): Promise<Queue> {
  const queue = await openQueue(owner);
  opened.push(queue);
  return queue;
}

const names = (queue: Queue) => queue.view.value.entries.map(({ name }) => name);
const states = (queue: Queue) => queue.view.value.entries.map(({ state }) => state);
const stored = (id: string): Outcome => ({ photoId: id, isDuplicate: false, isTrashed: false });
const eventually = (check: () => void) => vi.waitFor(check, { timeout: 5_000, interval: 10 });

beforeEach(() => {
  const storage = { estimate: () => Promise.resolve({ quota: 1e9, usage: 0 }) };
  Object.defineProperty(navigator, "storage", { value: storage, configurable: true });
  vi.stubGlobal("document", { addEventListener: vi.fn() });
  vi.stubGlobal("addEventListener", vi.fn());
  vi.stubGlobal("removeEventListener", vi.fn());
  vi.stubGlobal("indexedDB", new IDBFactory());
  const inspect = async (blob: Blob) => ({ sha256: await blob.text(), lacksPosition: false });
  vi.mocked(createInspector).mockReturnValue({ inspect, stop: vi.fn() });
  vi.mocked(transport.known).mockResolvedValue(new Map());
  upload.mockReset().mockImplementation(({ id }) => Promise.resolve(stored(id)));
});
afterEach(() => {
  for (const queue of opened.splice(0)) queue.stop();
});

/** Uploads that never end. */
function hang(): void {
  upload.mockImplementation(() => new Promise(() => undefined));
}

it("uploads what is added, in its order, and has the lists read again", async () => {
  const before = changes.value;
  const queue = await open("mario");
  await queue.add([file("b.jpg"), file("a.jpg"), file("notes.txt")]);
  expect(names(queue)).toEqual(["b.jpg", "a.jpg"]);
  expect(queue.view.value.notPhotos).toEqual(["notes.txt"]);
  await eventually(() => expect(states(queue)).toEqual(["done", "done"]));
  await eventually(() => expect(changes.value).toBe(before + 1));
});

it("counts from the beginning when all files before are done", async () => {
  const queue = await open("mario");
  await queue.add([file("a.jpg")]);
  await eventually(() => expect(states(queue)).toEqual(["done"]));
  await queue.add([file("b.jpg")]);
  expect(names(queue)).toEqual(["b.jpg"]);
});

it("continues in the next page, with the same keys", async () => {
  hang();
  const first = await open("mario");
  await first.add([file("a.jpg"), file("b.jpg")]);
  await eventually(() => expect(upload).toHaveBeenCalledTimes(2));
  const keys = upload.mock.calls.map(([{ key }]) => key);
  first.stop();
  upload.mockReset().mockImplementation(({ id }) => Promise.resolve(stored(id)));
  const second = await open("mario");
  await eventually(() => expect(states(second)).toEqual(["done", "done"]));
  expect(upload.mock.calls.map(([{ key }]) => key)).toEqual(keys);
});

it("shows nothing of a queue that was finished by the page before", async () => {
  const first = await open("mario");
  await first.add([file("a.jpg")]);
  await eventually(() => expect(states(first)).toEqual(["done"]));
  first.stop();
  await eventually(async () => expect(names(await open("mario"))).toEqual([]));
});

it("works in one tab, which the other one follows, commands and replaces", async () => {
  hang();
  const [works, follows] = [await open("mario"), await open("mario")];
  await works.add([file("a.jpg")]);
  await follows.add([file("b.jpg")]);
  await eventually(() => expect(names(works)).toEqual(["a.jpg", "b.jpg"]));
  await eventually(() => expect(states(follows)).toEqual(["uploading", "uploading"]));
  expect(upload).toHaveBeenCalledTimes(2);
  follows.remove([follows.view.value.entries[0]?.id ?? ""]);
  await eventually(() => expect(names(works)).toEqual(["b.jpg"]));
  upload.mockImplementation(({ id }) => Promise.resolve(stored(id)));
  works.stop();
  await eventually(() => expect(states(follows)).toEqual(["done"]));
});

it("never shows or sends the files of another account", async () => {
  hang();
  const mario = await open("mario");
  await mario.add([file("a.jpg")]);
  mario.stop();
  upload.mockClear();
  const luigi = await open("luigi");
  await luigi.add([file("b.jpg")]);
  await eventually(() => expect(upload).toHaveBeenCalledTimes(1));
  expect(names(luigi)).toEqual(["b.jpg"]);
});

it("forgets everything of an account that is signed out, in all tabs", async () => {
  hang();
  const [works, follows] = [await open("mario"), await open("mario")];
  await works.add([file("a.jpg")]);
  await eventually(() => expect(names(follows)).toEqual(["a.jpg"]));
  await follows.clear();
  await eventually(() => expect(names(works)).toEqual([]));
  works.stop();
  expect(names(await open("mario"))).toEqual([]);
});

it("works without storage, as far as one page can", async () => {
  vi.stubGlobal("indexedDB", {
    open: () => {
      throw new DOMException("SecurityError");
    },
  });
  const queue = await open("mario");
  await queue.add([file("a.jpg")]);
  await eventually(() => expect(states(queue)).toEqual(["done"]));
});
