import { beforeEach, describe, expect, it } from "vitest";

import { BoundedCache, type Entry, type EntryIndex, type Store } from "./bounded";

const OVERHEAD = 1_000;

class MemoryStore implements Store {
  readonly kept = new Map<string, Response>();
  isFull = false;

  match(key: string) {
    return Promise.resolve(this.kept.get(key)?.clone());
  }

  put(key: string, response: Response) {
    if (this.isFull) return Promise.reject(new DOMException("", "QuotaExceededError"));
    this.kept.set(key, response);
    return Promise.resolve();
  }

  delete(key: string) {
    return Promise.resolve(this.kept.delete(key));
  }
}

class MemoryIndex implements EntryIndex {
  readonly kept = new Map<string, Entry>();

  all() {
    return Promise.resolve([...this.kept.values()].map((entry) => ({ ...entry })));
  }

  put(entries: readonly Entry[]) {
    for (const entry of entries) this.kept.set(entry.key, { ...entry });
    return Promise.resolve();
  }

  remove(keys: readonly string[]) {
    for (const key of keys) this.kept.delete(key);
    return Promise.resolve();
  }

  clear() {
    this.kept.clear();
    return Promise.resolve();
  }
}

let store: MemoryStore;
let index: MemoryIndex;
let moment: number;

beforeEach(() => {
  store = new MemoryStore();
  index = new MemoryIndex();
  moment = 0;
});

function cacheOf(limit: number): BoundedCache {
  return new BoundedCache(
    () => Promise.resolve(store),
    index,
    () => Promise.resolve(limit),
    () => ++moment,
  );
}

function bytes(size: number): Response {
  return new Response("x".repeat(size), { headers: { "Content-Type": "image/jpeg" } });
}

describe("a bounded cache", () => {
  it("never holds more than its limit, and drops what was used least recently", async () => {
    const cache = cacheOf(4 * (1_000 + OVERHEAD));
    for (const key of ["a", "b", "c", "d"]) await cache.put(key, bytes(1_000));
    await cache.touch("a");
    await cache.put("e", bytes(1_000));
    expect([...store.kept.keys()]).toEqual(["a", "d", "e"]);
    expect([...index.kept.keys()].sort()).toEqual(["a", "d", "e"]);
  });

  it("knows after a restart of the worker what it has, and what was used last", async () => {
    const limit = 3 * (1_000 + OVERHEAD);
    const before = cacheOf(limit);
    for (const key of ["a", "b", "c"]) await before.put(key, bytes(1_000));
    await before.touch("a");
    await cacheOf(limit).put("d", bytes(1_000));
    expect([...store.kept.keys()]).toEqual(["a", "d"]);
  });

  it("keeps the type of a response and none of its other headers", async () => {
    const cache = cacheOf(10_000);
    const headers = { "Content-Type": "image/jpeg", "X-Amz-Request-Id": "1" };
    await cache.put("a", new Response("x", { headers }));
    const kept = await cache.match("a");
    expect([...(kept?.headers ?? new Headers())]).toEqual([["content-type", "image/jpeg"]]);
  });

  it("does not keep what is larger than its limit", async () => {
    await cacheOf(2_000).put("a", bytes(2_000));
    expect(store.kept.size).toBe(0);
  });

  it("counts a replaced response once", async () => {
    const cache = cacheOf(2 * (1_000 + OVERHEAD));
    for (const key of ["a", "b", "b", "b"]) await cache.put(key, bytes(1_000));
    expect([...store.kept.keys()]).toEqual(["a", "b"]);
  });

  it("makes room when the disk is full", async () => {
    const cache = cacheOf(100_000);
    for (const key of ["a", "b", "c", "d"]) await cache.put(key, bytes(1_000));
    store.isFull = true;
    await cache.put("e", bytes(1_000));
    expect(store.kept.size).toBeLessThanOrEqual(2);
  });

  it("forgets what is being stored while it is cleared", async () => {
    const cache = cacheOf(100_000);
    const storing = cache.put("a", bytes(1_000));
    await cache.clear(() => {
      store.kept.clear();
      return Promise.resolve();
    });
    await storing;
    expect(store.kept.size).toBe(0);
    await cache.put("b", bytes(1_000));
    expect([...store.kept.keys()]).toEqual(["b"]);
  });
});
