/** Pointers as gestures: swipe, drag down, pinch, pan, tap and double tap. No DOM, so no browser. */
import { limit, pinch, toggle, FITTED, type Point, type Size, type Zoom } from "./zoom";

/** A pointer event; the position is relative to the stage's center. */
export interface Touch extends Point {
  id: number;
  /** Milliseconds. */
  time: number;
  isMouse: boolean;
}

/** What the gestures read and move. */
export interface Stage {
  size: () => Size;
  /** The size of the photo at scale 1. */
  shown: () => Size;
  largest: () => number;
  getZoom: () => Zoom;
  setZoom: (zoom: Zoom) => void;
  /** Whether there is a photo in this direction: -1 or 1. */
  has: (step: -1 | 1) => boolean;
  /** The photo follows a finger. */
  drag: (to: Point) => void;
  /** The finger has let go: go on by `step`, which is 0 to stay. */
  release: (step: -1 | 0 | 1) => void;
  close: () => void;
  tap: () => void;
}

const SLOP = 8; // px that a finger may move in a tap
const TAP_MS = 300;
const DOUBLE_TAP_PX = 40;
const FLICK = 0.4; // px per ms
const DISMISS_PX = 120;
/** How much of a drag is followed where there is no photo. */
const RESISTANCE = 0.3;

type Motion = "pan" | "swipe" | "dismiss" | "pinch" | null;

export function createGestures(stage: Stage) {
  const pointers = new Map<number, Touch>();
  let first: Touch | null = null;
  let last: Touch | null = null;
  let velocity = 0;
  let motion: Motion = null;
  let startZoom = FITTED;
  let startPinch = { distance: 1, middle: { x: 0, y: 0 } };
  let lastTap: Touch | null = null;
  let wasPinched = false;

  function down(touch: Touch): void {
    pointers.set(touch.id, touch);
    startZoom = stage.getZoom();
    if (pointers.size === 1) {
      first = last = touch;
      velocity = 0;
      motion = null;
      wasPinched = false;
    } else if (pointers.size === 2) {
      if (motion === "swipe" || motion === "dismiss") stage.release(0);
      motion = "pinch";
      wasPinched = true;
      startPinch = between(pointers);
    }
  }

  function move(touch: Touch): void {
    if (!pointers.has(touch.id) || !first || !last) return;
    pointers.set(touch.id, touch);
    if (motion === "pinch") {
      movePinch();
      return;
    }
    if (touch.time > last.time) velocity = (touch.x - last.x) / (touch.time - last.time);
    last = touch;
    const moved = { x: touch.x - first.x, y: touch.y - first.y };
    motion ??= motionOf(moved, touch);
    if (motion === "pan") {
      const zoom = { ...startZoom, x: startZoom.x + moved.x, y: startZoom.y + moved.y };
      stage.setZoom(limit(zoom, stage.shown(), stage.size(), stage.largest()));
    } else if (motion === "swipe") {
      const isFree = stage.has(moved.x < 0 ? 1 : -1);
      stage.drag({ x: moved.x * (isFree ? 1 : RESISTANCE), y: 0 });
    } else if (motion === "dismiss") stage.drag({ x: 0, y: Math.max(0, moved.y) });
  }

  function motionOf(moved: Point, touch: Touch): Motion {
    if (Math.hypot(moved.x, moved.y) < SLOP) return null;
    if (startZoom.scale > 1) return "pan";
    // A mouse has buttons and keys for this; with it, a photo may be dragged out of the window.
    if (touch.isMouse) return null;
    return Math.abs(moved.x) > Math.abs(moved.y) ? "swipe" : "dismiss";
  }

  function movePinch(): void {
    const { distance, middle } = between(pointers);
    const factor = distance / startPinch.distance;
    stage.setZoom(pinch(startZoom, factor, startPinch.middle, middle, stage.largest()));
  }

  function up(touch: Touch): void {
    if (!pointers.delete(touch.id) || !first) return;
    if (motion === "pinch") {
      if (pointers.size === 1) continueWith([...pointers.values()][0]);
      if (pointers.size === 0) endPinch();
      return;
    }
    if (motion === "swipe") stage.release(stepOf(touch.x - first.x));
    else if (motion === "dismiss") {
      if (touch.y - first.y > DISMISS_PX) stage.close();
      else stage.release(0);
    } else if (motion === null && !wasPinched) endTap(touch);
    motion = null;
  }

  /** One of two fingers was lifted: the other one moves the photo. */
  function continueWith(touch: Touch | undefined): void {
    endPinch();
    startZoom = stage.getZoom();
    first = last = touch ?? null;
    motion = startZoom.scale > 1 ? "pan" : null;
  }

  function endPinch(): void {
    stage.setZoom(limit(stage.getZoom(), stage.shown(), stage.size(), stage.largest()));
    motion = null;
  }

  function stepOf(distance: number): -1 | 0 | 1 {
    const isFar = Math.abs(distance) > stage.size().width / 3;
    const isFlick = Math.abs(velocity) > FLICK && velocity * distance > 0;
    const step = distance < 0 ? 1 : -1;
    return (isFar || isFlick) && stage.has(step) ? step : 0;
  }

  function endTap(touch: Touch): void {
    if (!first || touch.time - first.time > TAP_MS) return;
    if (Math.hypot(touch.x - first.x, touch.y - first.y) > SLOP) return;
    if (lastTap && isDouble(lastTap, touch)) {
      stage.setZoom(
        limit(
          toggle(stage.getZoom(), touch, stage.largest()),
          stage.shown(),
          stage.size(),
          stage.largest(),
        ),
      );
      lastTap = null;
    } else lastTap = touch;
    if (!touch.isMouse) stage.tap();
  }

  /** The browser has taken the pointer, as for a gesture of its own. */
  function cancel(touch: Touch): void {
    if (!pointers.delete(touch.id)) return;
    if (motion === "swipe" || motion === "dismiss") stage.release(0);
    if (motion === "pinch") endPinch();
    motion = null;
  }

  return { down, move, up, cancel };
}

function isDouble(before: Touch, touch: Touch): boolean {
  const distance = Math.hypot(touch.x - before.x, touch.y - before.y);
  return touch.time - before.time < TAP_MS && distance < DOUBLE_TAP_PX;
}

function between(pointers: Map<number, Touch>): { distance: number; middle: Point } {
  const [a, b] = [...pointers.values()];
  if (!a || !b) return { distance: 1, middle: { x: 0, y: 0 } };
  return {
    distance: Math.max(1, Math.hypot(a.x - b.x, a.y - b.y)),
    middle: { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 },
  };
}
