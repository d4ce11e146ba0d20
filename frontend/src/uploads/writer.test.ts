import { expect, it, vi } from "vitest";

import { newEntry, next } from "./entry";
import type { UploadStore } from "./store";
import { createWriter } from "./writer";

const entry = newEntry({ name: "a", size: 1, type: "", lastModified: 0 }, "mario", 1, "a");
const started = next(entry, { type: "started" });
const done = next(started, { type: "stored", photoId: "p1" });

function fakeStore() {
  const update = vi.fn<UploadStore["update"]>().mockResolvedValue();
  const remove = vi.fn<UploadStore["remove"]>().mockResolvedValue();
  return { update, remove, store: { update, remove } as unknown as UploadStore };
}

it("stores the newest state of a file, in one transaction for all that changed meanwhile", async () => {
  const { update, store } = fakeStore();
  const writer = createWriter(store);
  update.mockImplementationOnce(() => {
    writer.write("a", entry);
    writer.write("a", done);
    return Promise.resolve();
  });
  writer.write("a", entry);
  writer.write("a", started);
  await writer.flushed();
  expect(update.mock.calls).toEqual([[[started]], [[done]]]);
});

it("removes what was removed last", async () => {
  const { update, remove, store } = fakeStore();
  const writer = createWriter(store);
  writer.write("a", entry);
  writer.write("a", null);
  await writer.flushed();
  expect(update).not.toHaveBeenCalled();
  expect(remove).toHaveBeenCalledExactlyOnceWith(["a"]);
});

it("goes on after a transaction that failed", async () => {
  const { update, store } = fakeStore();
  update.mockRejectedValueOnce(new DOMException("QuotaExceededError"));
  const writer = createWriter(store);
  writer.write("a", entry);
  await writer.flushed();
  writer.write("a", done);
  await writer.flushed();
  expect(update).toHaveBeenCalledTimes(2);
});
