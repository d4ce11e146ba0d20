/** Placeholders of photos: their colors at once, a blurred image a moment later. */
import { thumbHashToAverageRGBA, thumbHashToRGBA } from "thumbhash";

/** Milliseconds of a frame that may be spent on painting. */
const BUDGET = 6;
const MOST_COLORS = 5000;

const colors = new Map<string, string>();
const waiting = new Map<HTMLCanvasElement, string>();
let isScheduled = false;

/** Return the average color of a photo as CSS, or undefined if the hash is invalid. */
export function averageColor(hash: string): string | undefined {
  const known = colors.get(hash);
  if (known) return known;
  const bytes = bytesOf(hash);
  if (!bytes) return undefined;
  const { r, g, b } = thumbHashToAverageRGBA(bytes);
  const [red, green, blue] = [r, g, b].map((value) => Math.round(value * 255));
  const color = `rgb(${String(red)} ${String(green)} ${String(blue)})`;
  if (colors.size >= MOST_COLORS) colors.clear();
  colors.set(hash, color);
  return color;
}

/** Paint a placeholder soon, without delaying a frame. */
export function paintSoon(canvas: HTMLCanvasElement, hash: string): void {
  waiting.set(canvas, hash);
  schedule();
}

/** Do not paint it any more: the thumbnail is there, or it was scrolled past. */
export function cancelPaint(canvas: HTMLCanvasElement): void {
  waiting.delete(canvas);
}

function schedule(): void {
  if (isScheduled) return;
  isScheduled = true;
  requestAnimationFrame(() => {
    isScheduled = false;
    const end = performance.now() + BUDGET;
    for (const [canvas, hash] of waiting) {
      waiting.delete(canvas);
      paint(canvas, hash);
      if (performance.now() > end) break;
    }
    if (waiting.size > 0) schedule();
  });
}

function paint(canvas: HTMLCanvasElement, hash: string): void {
  const bytes = bytesOf(hash);
  const context = canvas.getContext("2d");
  if (!bytes || !context) return;
  const { w, h, rgba } = thumbHashToRGBA(bytes);
  canvas.width = w;
  canvas.height = h;
  context.putImageData(new ImageData(new Uint8ClampedArray(rgba), w, h), 0, 0);
}

/** A hash has at least five bytes. */
function bytesOf(hash: string): Uint8Array | null {
  try {
    const bytes = Uint8Array.from(atob(hash), (character) => character.charCodeAt(0));
    return bytes.length >= 5 ? bytes : null;
  } catch {
    return null;
  }
}
