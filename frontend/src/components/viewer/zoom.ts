/** How a photo is zoomed and moved in the viewer. Points are relative to the stage's center. */

export interface Size {
  width: number;
  height: number;
}

export interface Point {
  x: number;
  y: number;
}

/** The photo's scale, 1 when it fits, and where its center is. */
export interface Zoom extends Point {
  scale: number;
}

export const FITTED: Zoom = { scale: 1, x: 0, y: 0 };

const AT_LEAST = 3;
const AT_MOST = 12;
const DOUBLE_TAP = 2.5;
/** How far a pinch may go beyond the limits before it springs back. */
const STRETCH = 1.25;

/** Return the size in which a photo fits the stage; a small photo is not enlarged. */
export function fit(photo: Size, stage: Size): Size {
  const ratio = Math.min(1, stage.width / photo.width, stage.height / photo.height);
  return { width: photo.width * ratio, height: photo.height * ratio };
}

/** Return the largest scale: it shows each pixel of the photo in two of the page. */
export function largestScale(photo: Size, shown: Size): number {
  return Math.min(AT_MOST, Math.max(AT_LEAST, (2 * photo.width) / shown.width));
}

/** Return the zoom times `factor`, with the photo's point at `at` staying where it is. */
export function zoomAt(zoom: Zoom, factor: number, at: Point, largest: number): Zoom {
  return scaleTo(zoom, Math.min(largest, Math.max(1, zoom.scale * factor)), at);
}

/** Return the zoom of a pinch, which may go a little beyond the limits. */
export function pinch(zoom: Zoom, factor: number, from: Point, to: Point, largest: number): Zoom {
  const scale = Math.min(largest * STRETCH, Math.max(1 / STRETCH, zoom.scale * factor));
  const { x, y } = scaleTo(zoom, scale, from);
  return { scale, x: x + to.x - from.x, y: y + to.y - from.y };
}

/** Return the zoom after a double tap: into the photo, or back. */
export function toggle(zoom: Zoom, at: Point, largest: number): Zoom {
  return zoom.scale > 1 ? FITTED : zoomAt(zoom, Math.min(DOUBLE_TAP, largest), at, largest);
}

/** Return the zoom within the limits, with no gap between the photo and the stage's edges. */
export function limit(zoom: Zoom, shown: Size, stage: Size, largest: number): Zoom {
  const scale = Math.min(largest, Math.max(1, zoom.scale));
  if (scale === 1) return FITTED;
  const inner = scaleTo(zoom, scale, { x: 0, y: 0 });
  return {
    scale,
    x: between(inner.x, (shown.width * scale - stage.width) / 2),
    y: between(inner.y, (shown.height * scale - stage.height) / 2),
  };
}

function scaleTo(zoom: Zoom, scale: number, at: Point): Zoom {
  const factor = scale / zoom.scale;
  return { scale, x: at.x - (at.x - zoom.x) * factor, y: at.y - (at.y - zoom.y) * factor };
}

function between(value: number, largest: number): number {
  const most = Math.max(0, largest);
  return Math.min(most, Math.max(-most, value));
}
