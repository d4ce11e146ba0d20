import { afterEach, beforeEach, expect, it, vi } from "vitest";

import { ApiError } from "@/api/errors";
import {
  dismissStatus,
  holdStatus,
  report,
  reportError,
  resumeStatus,
  status,
  undoStatus,
} from "./status";

beforeEach(() => vi.useFakeTimers());
afterEach(() => {
  dismissStatus();
  vi.useRealTimers();
});

it("hides a message after five seconds", () => {
  report("Name saved.");
  vi.advanceTimersByTime(4_900);
  expect(status.value?.message).toBe("Name saved.");
  vi.advanceTimersByTime(200);
  expect(status.value).toBeNull();
});

it("leaves ten seconds to undo", () => {
  report("Moved to trash.", () => Promise.resolve());
  vi.advanceTimersByTime(9_900);
  expect(status.value).not.toBeNull();
  vi.advanceTimersByTime(200);
  expect(status.value).toBeNull();
});

it("keeps a message while it has the pointer or the focus", () => {
  report("Moved to trash.");
  holdStatus();
  vi.advanceTimersByTime(60_000);
  expect(status.value).not.toBeNull();
  resumeStatus();
  vi.advanceTimersByTime(5_100);
  expect(status.value).toBeNull();
});

it("undoes once, and hides the message at once", async () => {
  const undo = vi.fn(() => Promise.resolve());
  report("Moved to trash.", undo);
  const undone = undoStatus();
  expect(status.value).toBeNull();
  await undone;
  await undoStatus();
  expect(undo).toHaveBeenCalledTimes(1);
});

it("reports an undo that fails", async () => {
  report("Moved to trash.", () => Promise.reject(new ApiError("The album is full.", "X", 413)));
  await undoStatus();
  expect(status.value).toEqual({ message: "The album is full.", kind: "failed" });
});

it("shows the newest message for its whole time", () => {
  report("First");
  vi.advanceTimersByTime(4_000);
  reportError(new ApiError("Second", "X", 500));
  vi.advanceTimersByTime(4_000);
  expect(status.value?.message).toBe("Second");
});
