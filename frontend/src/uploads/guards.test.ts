// @vitest-environment happy-dom
import { afterEach, beforeEach, expect, it, vi } from "vitest";

import { createWakeLock, warnBeforeLoss } from "./guards";

const release = vi.fn(() => Promise.resolve());
const request = vi.fn(() => Promise.resolve({ release, addEventListener: vi.fn() }));
let isTrue: boolean;

beforeEach(() => {
  release.mockClear();
  request.mockClear();
  Object.defineProperty(navigator, "wakeLock", { value: { request }, configurable: true });
});
afterEach(() => vi.unstubAllGlobals());

const settle = () => new Promise((resolve) => setTimeout(resolve));

it("keeps the screen on while files are uploaded, and no longer", async () => {
  isTrue = true;
  const update = createWakeLock(() => isTrue);
  update();
  update();
  await settle();
  expect(request).toHaveBeenCalledExactlyOnceWith("screen");
  isTrue = false;
  update();
  await settle();
  expect(release).toHaveBeenCalledTimes(1);
});

it("uploads even if the battery is too low to keep the screen on", async () => {
  request.mockRejectedValueOnce(new DOMException("NotAllowedError"));
  createWakeLock(() => true)();
  await settle();
  expect(request).toHaveBeenCalledTimes(1);
});

it("asks before the page is left only while that would lose files", () => {
  const leave = () => dispatchEvent(new Event("beforeunload", { cancelable: true }));
  isTrue = false;
  const update = warnBeforeLoss(() => isTrue);
  update();
  expect(leave()).toBe(true);
  isTrue = true;
  update();
  expect(leave()).toBe(false);
  isTrue = false;
  update();
  expect(leave()).toBe(true);
});
