import { beforeEach, expect, it, vi } from "vitest";

import { newEntry } from "./entry";
import { LostFile, QueueFiles } from "./files";
import type { UploadStore } from "./store";

const facts = { name: "sea.jpg", size: 3, type: "image/jpeg", lastModified: 5 };
const entry = newEntry(facts, "mario", 1, "a");
const ofPage = new Blob(["abc"]);
const copy = new Blob(["abc"]);
const bytes = vi.fn<UploadStore["bytes"]>();
const handle = vi.fn<UploadStore["handle"]>();
const permission = vi.fn<() => Promise<string>>();
const requestPermission = vi.fn<() => Promise<string>>();
const getFile = vi.fn<() => Promise<typeof facts>>();
let files: QueueFiles;

beforeEach(() => {
  for (const mock of [bytes, handle, permission, requestPermission, getFile]) mock.mockReset();
  bytes.mockResolvedValue(undefined);
  handle.mockResolvedValue({ queryPermission: permission, requestPermission, getFile } as never);
  permission.mockResolvedValue("granted");
  getFile.mockResolvedValue(facts);
  files = new QueueFiles(() => Promise.resolve({ bytes, handle } as unknown as UploadStore));
});

it("reads the file of this page first, then the copy, then the handle", async () => {
  expect(await files.open(entry)).toBe(facts);
  bytes.mockResolvedValue(copy);
  expect(await files.open(entry)).toBe(copy);
  files.keep("a", ofPage);
  expect(await files.open(entry)).toBe(ofPage);
});

it("is lost where there is neither", async () => {
  handle.mockResolvedValue(undefined);
  await expect(files.open(entry)).rejects.toEqual(new LostFile("lost"));
});

it("is locked until its owner allows the browser to read it again", async () => {
  permission.mockResolvedValue("prompt");
  await expect(files.open(entry)).rejects.toMatchObject({ kind: "locked" });
  expect(requestPermission).not.toHaveBeenCalled(); // It needs a click.
  await files.unlock("a");
  expect(requestPermission).toHaveBeenCalledTimes(1);
});

it("does not take another version of the file, or one that was moved", async () => {
  getFile.mockResolvedValueOnce({ ...facts, lastModified: 6 });
  await expect(files.open(entry)).rejects.toMatchObject({ kind: "lost" });
  getFile.mockRejectedValueOnce(new DOMException("NotFoundError"));
  await expect(files.open(entry)).rejects.toMatchObject({ kind: "lost" });
});

it("goes on with the copy when this page's file has been moved", async () => {
  files.keep("a", ofPage);
  bytes.mockResolvedValue(copy);
  expect(await files.forget(entry)).toBe(true);
  expect(await files.open(entry)).toBe(copy);
});

it("has nothing to go on with when the copy cannot be read either", async () => {
  bytes.mockResolvedValue(copy);
  expect(await files.forget(entry)).toBe(false);
});

it("recognizes a file that can no longer be read", async () => {
  const gone = { slice: () => ({ arrayBuffer: () => Promise.reject(new Error("gone")) }) };
  expect(await files.isReadable(gone as unknown as Blob)).toBe(false);
  expect(await files.isReadable(copy)).toBe(true);
});
