import { afterEach, beforeEach, expect, it, vi } from "vitest";

import { ApiError } from "@/api/errors";
import type { BatchRequest, BatchResult } from "@/api/types";
import { runBatch } from "./actions";

const send = vi.fn<(request: BatchRequest) => Promise<BatchResult>>();
const many = Array.from({ length: 450 }, (_, index) => `p${String(index)}`);

function result(request: BatchRequest, remaining: string[] = []): BatchResult {
  return {
    ok: true,
    done: request.ids.filter((id) => !remaining.includes(id)),
    failed: [],
    remaining,
  };
}

beforeEach(() => {
  vi.useFakeTimers();
  send.mockReset().mockImplementation((request) => Promise.resolve(result(request)));
});
afterEach(() => vi.useRealTimers());

it("sends at most 200 photos in one request", async () => {
  expect(await runBatch("trash", many, undefined, send)).toEqual([]);
  expect(send.mock.calls.map(([request]) => request.ids.length)).toEqual([200, 200, 50]);
  expect(send.mock.calls.flatMap(([request]) => request.ids)).toEqual(many);
});

it("sends tags with the actions that need them", async () => {
  await runBatch("tag", ["a"], "sea, sun", send);
  expect(send).toHaveBeenCalledExactlyOnceWith({ ids: ["a"], action: "tag", tags: "sea, sun" });
});

it("sends again what was not reached in time", async () => {
  send.mockImplementationOnce((request) => Promise.resolve(result(request, ["b", "c"])));
  await runBatch("delete", ["a", "b", "c"], undefined, send);
  expect(send.mock.calls.map(([request]) => request.ids)).toEqual([
    ["a", "b", "c"],
    ["b", "c"],
  ]);
});

it("repeats a request that failed for a while, after the time that the album asks for", async () => {
  send.mockRejectedValueOnce(new ApiError("Busy.", "ServiceUnavailableError", 503, 7));
  const done = runBatch("restore", ["a"], undefined, send);
  await vi.advanceTimersByTimeAsync(6_900);
  expect(send).toHaveBeenCalledTimes(1);
  await vi.advanceTimersByTimeAsync(200);
  expect(await done).toEqual([]);
});

it("gives up when the album makes no progress", async () => {
  send.mockImplementation((request) => Promise.resolve(result(request, request.ids)));
  const done = expect(runBatch("trash", ["a"], undefined, send)).rejects.toMatchObject({
    status: 503,
  });
  await vi.advanceTimersByTimeAsync(60_000);
  await done;
  expect(send).toHaveBeenCalledTimes(4);
});

it("reports what the album rejects without a second attempt", async () => {
  send.mockRejectedValue(new ApiError("ids must be a list.", "BadRequestError", 400));
  await expect(runBatch("trash", ["a"], undefined, send)).rejects.toMatchObject({ status: 400 });
  expect(send).toHaveBeenCalledTimes(1);
});

it("returns the photos that failed, with the album's reasons", async () => {
  const failure = { photo_id: "b", Code: "NotFoundError", Message: "This photo does not exist." };
  send.mockImplementationOnce((request) =>
    Promise.resolve({ ...result(request), failed: [failure] }),
  );
  expect(await runBatch("favorite", ["a", "b"], undefined, send)).toEqual([failure]);
});
