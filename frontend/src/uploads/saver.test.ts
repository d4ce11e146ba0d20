import { beforeEach, expect, it, vi } from "vitest";

import { newEntry, type Entry } from "./entry";
import { createSaver } from "./saver";
import type { UploadStore } from "./store";

const copy = vi.fn<UploadStore["copy"]>();
const onSaved = vi.fn();
let files: Map<string, Blob>;
let saved: Set<string>;
let free: number;

beforeEach(() => {
  copy.mockReset().mockResolvedValue();
  onSaved.mockReset().mockImplementation((ids: string[]) => ids.forEach((id) => saved.add(id)));
  files = new Map();
  saved = new Set();
  free = 1e12;
});

function sized(size: number): Blob {
  return { size } as Blob;
}

function add(...sizes: number[]): void {
  for (const size of sizes) files.set(String(files.size), sized(size));
}

function save(): Promise<void> {
  return createSaver({
    store: { copy } as unknown as UploadStore,
    pending: () => [...files].flatMap(([id, { size }]) => (saved.has(id) ? [] : entryOf(id, size))),
    file: (id) => files.get(id),
    free: () => Promise.resolve(free),
    onSaved,
  })();
}

function entryOf(id: string, size: number): Entry {
  return newEntry({ name: id, size, type: "", lastModified: 0 }, "mario", Number(id), id);
}

const batches = () => copy.mock.calls.map(([batch]) => [...batch.keys()].length);

it("copies small files together, and large ones alone", async () => {
  add(...Array<number>(250).fill(1_000), 90e6, 90e6);
  await save();
  expect(batches()).toEqual([100, 100, 50, 1, 1]);
  expect(saved.size).toBe(252);
});

it("leaves half of the free space to others", async () => {
  free = 100e6;
  add(30e6, 60e6);
  await save();
  expect([...saved]).toEqual(["0"]);
});

it("copies nothing where the browser has no room", async () => {
  free = 0;
  add(1_000);
  await save();
  expect(copy).not.toHaveBeenCalled();
});

it("copies the others if one file cannot be read", async () => {
  add(1, 2, 3);
  copy.mockImplementation((batch) =>
    batch.has("1") ? Promise.reject(new Error("NotReadableError")) : Promise.resolve(),
  );
  await save();
  expect([...saved]).toEqual(["0", "2"]);
});
