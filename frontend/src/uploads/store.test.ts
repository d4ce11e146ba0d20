import "fake-indexeddb/auto";
import { IDBFactory } from "fake-indexeddb";
import { beforeEach, expect, it, vi } from "vitest";

import { hasQueue } from "./database";
import { newEntry, next, type Entry } from "./entry";
import { openStore, type UploadStore } from "./store";

let store: UploadStore;
const handle = { kind: "file", name: "c.jpg" } as FileSystemFileHandle;

function entry(id: string, order = 1, owner = "mario"): Entry {
  const file = { name: `${id}.jpg`, size: 3, type: "image/jpeg", lastModified: 5 };
  return newEntry(file, owner, order, id);
}

function done(of: Entry): Entry {
  return next(next(of, { type: "started" }), { type: "stored", photoId: "p1" });
}

const copyOf = async (id: string) => (await store.bytes(id))?.text();

beforeEach(async () => {
  vi.stubGlobal("indexedDB", new IDBFactory());
  store = await openStore();
});

it("returns the entries of an account in their order", async () => {
  await store.add([entry("b", 2), entry("a", 1), entry("x", 0, "luigi")]);
  expect((await store.load("mario")).map(({ id }) => id)).toEqual(["a", "b"]);
  expect((await store.load("luigi")).map(({ id }) => id)).toEqual(["x"]);
});

it("survives that the page is closed", async () => {
  await store.add([entry("a")]);
  await store.copy(new Map([["a", new Blob(["abc"])]]));
  store = await openStore();
  expect(await store.load("mario")).toMatchObject([{ id: "a", isSaved: true }]);
  expect(await copyOf("a")).toBe("abc");
});

it("knows which files can be read again: those copied, and those with a handle", async () => {
  await store.add([entry("a", 1), entry("b", 2), entry("c", 3)], new Map([["c", handle]]));
  await store.copy(new Map([["a", new Blob(["abc"])]]));
  expect((await store.load("mario")).map(({ isSaved }) => isSaved)).toEqual([true, false, true]);
  expect(await store.handle("c")).toEqual(handle);
});

it("drops the bytes of a file that is done, and keeps its entry", async () => {
  await store.add([entry("a")], new Map([["a", handle]]));
  await store.copy(new Map([["a", new Blob(["abc"])]]));
  await store.update([done(entry("a"))]);
  expect(await store.bytes("a")).toBeUndefined();
  expect(await store.handle("a")).toBeUndefined();
  expect(await store.load("mario")).toMatchObject([{ state: "done", photoId: "p1" }]);
});

it("keeps the bytes of a file that failed, for its retry", async () => {
  const failure = { type: "failed", kind: "unreachable", reason: "Busy." } as const;
  await store.add([entry("a")]);
  await store.copy(new Map([["a", new Blob(["abc"])]]));
  await store.update([next(entry("a"), failure)]);
  expect(await copyOf("a")).toBe("abc");
});

it("does not bring back an entry that was removed", async () => {
  await store.add([entry("a")]);
  await store.remove(["a"]);
  await store.update([done(entry("a"))]);
  await store.copy(new Map([["a", new Blob(["abc"])]]));
  expect(await store.load("mario")).toEqual([]);
  expect(await store.bytes("a")).toBeUndefined();
});

it("does not copy a file that is done by then", async () => {
  await store.add([done(entry("a"))]);
  await store.copy(new Map([["a", new Blob(["abc"])]]));
  expect(await store.bytes("a")).toBeUndefined();
});

it("forgets everything of one account, and nothing of another", async () => {
  await store.add([entry("a"), entry("x", 1, "luigi")], new Map([["a", handle]]));
  await store.copy(
    new Map([
      ["a", new Blob(["abc"])],
      ["x", new Blob(["xyz"])],
    ]),
  );
  await store.clear("mario");
  expect(await hasQueue("mario")).toBe(false);
  expect(await store.bytes("a")).toBeUndefined();
  expect(await store.handle("a")).toBeUndefined();
  expect(await hasQueue("luigi")).toBe(true);
  expect(await copyOf("x")).toBe("xyz");
});

it("finds no queue where nothing was ever uploaded", async () => {
  expect(await hasQueue("mario")).toBe(false);
});
