import { expect, it } from "vitest";

import { ApiError } from "@/api/errors";
import { delayAfter } from "./backoff";

const busy = (retryAfter: number | null = null) => new ApiError("Busy.", "Busy", 503, retryAfter);
const offline = new ApiError("No connection.", "NetworkError", 0);

it("waits twice as long after each failure, up to a minute", () => {
  const delays = [1, 2, 3, 4, 7].map((attempt) => delayAfter(busy(), attempt, () => 1));
  expect(delays).toEqual([1_000, 2_000, 4_000, 8_000, 60_000]);
});

it("spreads files that failed together", () => {
  expect(delayAfter(busy(), 2, () => 0)).toBe(1_000);
  expect(delayAfter(busy(), 2, () => 0.5)).toBe(1_500);
});

it("waits at least as long as Retry-After says", () => {
  expect(delayAfter(busy(7), 1, () => 0)).toBe(7_500);
});

it("leaves it to people to wait for more than five minutes", () => {
  expect(delayAfter(busy(301), 1)).toBeNull();
});

it("gives up on an album that fails eight times", () => {
  expect(delayAfter(busy(), 7)).not.toBeNull();
  expect(delayAfter(busy(), 8)).toBeNull();
});

it("never gives up on a connection", () => {
  expect(delayAfter(offline, 1_000, () => 1)).toBe(60_000);
});

it("does not repeat what the album rejects", () => {
  expect(delayAfter(new ApiError("Too large.", "PayloadTooLargeError", 413), 1)).toBeNull();
});
