import { describe, expect, it } from "vitest";

import { fit, FITTED, largestScale, limit, pinch, toggle, zoomAt, type Zoom } from "./zoom";

const stage = { width: 1000, height: 800 };

/** Return which point of the photo, at scale 1, is at a point of the stage. */
function photoPointAt(zoom: Zoom, x: number, y: number): [number, number] {
  return [(x - zoom.x) / zoom.scale, (y - zoom.y) / zoom.scale];
}

describe("a photo that fits", () => {
  it.each([
    [
      { width: 4000, height: 2000 },
      { width: 1000, height: 500 },
    ],
    [
      { width: 2000, height: 4000 },
      { width: 400, height: 800 },
    ],
    [
      { width: 60, height: 40 },
      { width: 60, height: 40 },
    ],
  ])("has the right size: %o", (photo, shown) => {
    expect(fit(photo, stage)).toEqual(shown);
  });

  it("can be zoomed to twice its pixels, within limits", () => {
    expect(largestScale({ width: 4000, height: 2000 }, { width: 1000, height: 500 })).toBe(8);
    expect(largestScale({ width: 60, height: 40 }, { width: 60, height: 40 })).toBe(3);
    expect(largestScale({ width: 60_000, height: 400 }, { width: 1000, height: 7 })).toBe(12);
  });
});

describe("zooming", () => {
  it("keeps what is under the pointer where it is", () => {
    const zoom = zoomAt(zoomAt(FITTED, 1.5, { x: 120, y: -80 }, 8), 2, { x: -300, y: 10 }, 8);
    expect(zoom.scale).toBe(3);
    const before = zoomAt(FITTED, 1.5, { x: 120, y: -80 }, 8);
    expect(photoPointAt(zoom, -300, 10)[0]).toBeCloseTo(photoPointAt(before, -300, 10)[0]);
    expect(photoPointAt(zoom, -300, 10)[1]).toBeCloseTo(photoPointAt(before, -300, 10)[1]);
  });

  it("ends at the limits", () => {
    expect(zoomAt(FITTED, 100, { x: 0, y: 0 }, 8).scale).toBe(8);
    expect(zoomAt({ scale: 2, x: 5, y: 5 }, 0.01, { x: 0, y: 0 }, 8).scale).toBe(1);
  });

  it("follows two fingers that move and spread", () => {
    const zoom = pinch(FITTED, 2, { x: 100, y: 0 }, { x: 150, y: 30 }, 8);
    expect(zoom.scale).toBe(2);
    expect(photoPointAt(zoom, 150, 30)).toEqual([100, 0]);
  });

  it("stretches a little beyond the limits while fingers are down", () => {
    expect(pinch(FITTED, 0.1, { x: 0, y: 0 }, { x: 0, y: 0 }, 8).scale).toBe(0.8);
    expect(pinch(FITTED, 99, { x: 0, y: 0 }, { x: 0, y: 0 }, 8).scale).toBe(10);
  });

  it("goes in and back with double taps", () => {
    const zoomed = toggle(FITTED, { x: 100, y: 100 }, 8);
    expect(zoomed.scale).toBe(2.5);
    expect(photoPointAt(zoomed, 100, 100)).toEqual([100, 100]);
    expect(toggle(zoomed, { x: 0, y: 0 }, 8)).toEqual(FITTED);
  });
});

describe("the limits", () => {
  const shown = { width: 1000, height: 500 };

  it("leave no gap at the edges of the stage", () => {
    expect(limit({ scale: 2, x: 900, y: -900 }, shown, stage, 8)).toEqual({
      scale: 2,
      x: 500,
      y: -100,
    });
  });

  it("center what is smaller than the stage", () => {
    expect(limit({ scale: 1.2, x: 50, y: 40 }, shown, stage, 8)).toMatchObject({ x: 50, y: 0 });
  });

  it("bring back a photo that was pinched below its size, or too far", () => {
    expect(limit({ scale: 0.8, x: 50, y: 40 }, shown, stage, 8)).toEqual(FITTED);
    expect(limit({ scale: 10, x: 0, y: 0 }, shown, stage, 8).scale).toBe(8);
  });
});
