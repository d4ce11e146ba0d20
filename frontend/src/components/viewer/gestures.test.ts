import { beforeEach, describe, expect, it, vi } from "vitest";

import { createGestures, type Touch } from "./gestures";
import { FITTED, type Point, type Zoom } from "./zoom";

let zoom: Zoom;
let dragged: Point | null;
let now: number;
let gestures: ReturnType<typeof createGestures>;
const neighbors = new Set<number>();
const release = vi.fn<(step: number) => void>();
const close = vi.fn<() => void>();
const tap = vi.fn<() => void>();

beforeEach(() => {
  [release, close, tap].forEach((mock) => mock.mockReset());
  zoom = FITTED;
  dragged = null;
  now = 1000;
  neighbors.clear();
  neighbors.add(-1).add(1);
  gestures = createGestures({
    size: () => ({ width: 400, height: 800 }),
    shown: () => ({ width: 400, height: 300 }),
    largest: () => 4,
    getZoom: () => zoom,
    setZoom: (next) => (zoom = next),
    has: (step) => neighbors.has(step),
    drag: (to) => (dragged = to),
    release,
    close,
    tap,
  });
});

function touch(x: number, y: number, id = 1, isMouse = false): Touch {
  return { id, x, y, time: now, isMouse };
}

/** Move a finger along points, each after some milliseconds. */
function swipe(points: [number, number][], ms = 16, isMouse = false): void {
  const [[x, y] = [0, 0], ...rest] = points;
  gestures.down(touch(x, y, 1, isMouse));
  for (const [toX, toY] of rest) {
    now += ms;
    gestures.move(touch(toX, toY, 1, isMouse));
  }
  const [endX, endY] = points.at(-1) ?? [0, 0];
  gestures.up(touch(endX, endY, 1, isMouse));
}

function tapAt(x: number, y: number, isMouse = false): void {
  gestures.down(touch(x, y, 1, isMouse));
  now += 60;
  gestures.up(touch(x, y, 1, isMouse));
  now += 60;
}

/** Spread two fingers around the center, to `factor` times their distance. */
function spread(factor: number): void {
  gestures.down(touch(-50, 0, 1));
  gestures.down(touch(50, 0, 2));
  gestures.move(touch(-50 * factor, 0, 1));
  gestures.move(touch(50 * factor, 0, 2));
}

describe("a swipe", () => {
  it("goes on when it is long", () => {
    swipe([[150, 0], [100, 0], [0, 5]], 400); // prettier-ignore
    expect(release).toHaveBeenCalledExactlyOnceWith(1);
    expect(dragged).toEqual({ x: -150, y: 0 });
  });

  it("goes on when it is short, but quick", () => {
    swipe([[0, 0], [20, 0], [50, 0]]); // prettier-ignore
    expect(release).toHaveBeenCalledExactlyOnceWith(-1);
  });

  it("stays when it is short and slow", () => {
    swipe([[0, 0], [20, 0], [50, 0]], 400); // prettier-ignore
    expect(release).toHaveBeenCalledExactlyOnceWith(0);
  });

  it("stays, and is hard to drag, where there is no photo", () => {
    neighbors.delete(1);
    swipe([[150, 0], [0, 0], [-150, 0]]); // prettier-ignore
    expect(release).toHaveBeenCalledExactlyOnceWith(0);
    expect(dragged).toEqual({ x: -90, y: 0 });
  });

  it("closes when it goes down far enough", () => {
    swipe([[0, 0], [0, 40], [5, 90]]); // prettier-ignore
    expect(close).not.toHaveBeenCalled();
    expect(release).toHaveBeenCalledExactlyOnceWith(0);
    swipe([[0, 0], [0, 40], [5, 190]]); // prettier-ignore
    expect(close).toHaveBeenCalledTimes(1);
  });

  it("is not made with a mouse", () => {
    swipe([[150, 0], [0, 0], [-150, 0]], 16, true); // prettier-ignore
    expect(release).not.toHaveBeenCalled();
  });

  it("stays when the browser takes the finger", () => {
    gestures.down(touch(0, 0));
    gestures.move(touch(-100, 0));
    gestures.cancel(touch(-100, 0));
    expect(release).toHaveBeenCalledExactlyOnceWith(0);
  });
});

describe("a pinch", () => {
  it("zooms around its middle", () => {
    spread(2);
    expect(zoom).toEqual({ scale: 2, x: 0, y: 0 });
    expect(tap).not.toHaveBeenCalled();
  });

  it("springs back below the photo's own size", () => {
    spread(0.5);
    expect(zoom.scale).toBe(0.8);
    gestures.up(touch(-25, 0, 1));
    gestures.up(touch(25, 0, 2));
    expect(zoom).toEqual(FITTED);
  });

  it("becomes a pan when one finger is lifted", () => {
    spread(3);
    gestures.up(touch(-150, 0, 1));
    gestures.move(touch(50, 0, 2));
    expect(zoom).toEqual({ scale: 3, x: -100, y: 0 });
    gestures.up(touch(50, 0, 2));
    expect(release).not.toHaveBeenCalled();
    expect(tap).not.toHaveBeenCalled();
  });

  it("ends a swipe that has begun", () => {
    gestures.down(touch(0, 0, 1));
    gestures.move(touch(-60, 0, 1));
    gestures.down(touch(50, 0, 2));
    expect(release).toHaveBeenCalledExactlyOnceWith(0);
  });
});

describe("a zoomed photo", () => {
  it("follows the pointer as far as its edges", () => {
    zoom = { scale: 2, x: 0, y: 0 };
    swipe([[0, 0], [-90, 0]], 16, true); // prettier-ignore
    expect(zoom).toEqual({ scale: 2, x: -90, y: 0 });
    swipe([[0, 0], [-390, 0]]); // prettier-ignore
    expect(zoom).toEqual({ scale: 2, x: -200, y: 0 });
    expect(release).not.toHaveBeenCalled();
  });
});

describe("taps", () => {
  it("show or hide the controls, but not with a mouse", () => {
    tapAt(0, 0);
    expect(tap).toHaveBeenCalledTimes(1);
    now += 1000;
    tapAt(0, 0, true);
    expect(tap).toHaveBeenCalledTimes(1);
  });

  it("zoom when they are double, also with a mouse, and back", () => {
    tapAt(0, 0);
    tapAt(4, 4);
    expect(zoom.scale).toBe(2.5);
    now += 1000;
    tapAt(0, 0, true);
    tapAt(0, 0, true);
    expect(zoom).toEqual(FITTED);
  });

  it("are not double when they are slow or far from each other", () => {
    tapAt(0, 0);
    now += 400;
    tapAt(0, 0);
    tapAt(100, 0);
    expect(zoom).toEqual(FITTED);
  });
});
