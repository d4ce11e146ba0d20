/** Rows of photos that are justified to both edges, for any number of photos. */

/** Rows of one section. Row `r` has the photos from `firsts[r]` up to, not including, the next. */
export interface Rows {
  /** One more entry than there are rows. */
  readonly firsts: Uint32Array;
  /** Pixels from the top of the first row; one more entry, the top of a row that would follow. */
  readonly tops: Float64Array;
  /** Whether the last row is too short to reach the right edge at a sensible height. */
  readonly hasRaggedEnd: boolean;
  /** Pixels, without a gap at the end. */
  readonly height: number;
}

export interface Geometry {
  /** Pixels of a row. */
  readonly width: number;
  /** The height that rows should have, in pixels. */
  readonly target: number;
  /** Pixels between photos and between rows. */
  readonly gap: number;
}

export interface Cell {
  /** Within the section. */
  readonly index: number;
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** The ratio of width and height of a photo that is not known yet. */
export const TYPICAL_RATIO = 4 / 3;

/** Longer or narrower photos are cropped, or they would be a strip or a sliver. */
const NARROWEST = 0.5;
const WIDEST = 3.2;

/** A last row that would become this much higher than others keeps its height instead. */
const MOST_STRETCHED = 1.3;

/** Return the ratio of a photo's cell. */
export function ratioOf({ width, height }: { width: number; height: number }): number {
  const ratio = width / height;
  return ratio > 0 ? Math.min(WIDEST, Math.max(NARROWEST, ratio)) : TYPICAL_RATIO;
}

/**
 * Break photos into rows. A row ends where its height is nearest to the target, so rows before a
 * change never depend on photos after it: a list can grow at its end without moving anything.
 */
export function justify(ratios: Float32Array, geometry: Geometry): Rows {
  const { width, gap } = geometry;
  const target = Math.min(geometry.target, width);
  const firsts: number[] = [0];
  const tops: number[] = [0];
  let first = 0;
  let sum = 0;
  let top = 0;

  function end(next: number, height: number): void {
    top += Math.max(1, Math.round(height)) + gap;
    firsts.push(next);
    tops.push(top);
    first = next;
    sum = 0;
  }

  for (let index = 0; index < ratios.length; index++) {
    const ratio = ratios[index] ?? TYPICAL_RATIO;
    const gaps = gap * (index - first);
    const height = (width - gaps) / (sum + ratio);
    if (height > target) {
      sum += ratio;
      continue;
    }
    const before = sum > 0 ? (width - gaps + gap) / sum : Infinity;
    if (before - target < target - height) {
      end(index, before);
      index -= 1;
    } else end(index + 1, height);
  }
  const stretched = sum > 0 ? (width - gap * (ratios.length - first - 1)) / sum : 0;
  const hasRaggedEnd = stretched > target * MOST_STRETCHED;
  if (sum > 0) end(ratios.length, hasRaggedEnd ? target : stretched);
  return {
    firsts: Uint32Array.from(firsts),
    tops: Float64Array.from(tops),
    hasRaggedEnd,
    height: Math.max(0, top - gap),
  };
}

/** Return the number of rows. */
export function rowCount(rows: Rows): number {
  return rows.firsts.length - 1;
}

/** Return the row that has an offset from the top; the first or the last if none has. */
export function rowAt(rows: Rows, offset: number): number {
  return Math.min(lastNotAbove(rows.tops, offset), Math.max(0, rowCount(rows) - 1));
}

/** Return the row of a photo. */
export function rowOf(rows: Rows, index: number): number {
  return Math.min(lastNotAbove(rows.firsts, index), Math.max(0, rowCount(rows) - 1));
}

/** Return the cells of a row. Their edges are whole pixels, and the last one ends at the edge. */
export function cellsOf(rows: Rows, ratios: Float32Array, row: number, geometry: Geometry): Cell[] {
  const first = rows.firsts[row] ?? 0;
  const next = rows.firsts[row + 1] ?? first;
  const top = rows.tops[row] ?? 0;
  const height = (rows.tops[row + 1] ?? 0) - top - geometry.gap;
  const isRagged = rows.hasRaggedEnd && row === rowCount(rows) - 1;
  let sum = 0;
  for (let index = first; index < next; index++) sum += ratios[index] ?? TYPICAL_RATIO;
  const free = geometry.width - geometry.gap * (next - first - 1);
  const scale = isRagged ? Math.min(height, free / sum) : free / sum;
  const cells: Cell[] = [];
  let reached = 0;
  for (let index = first; index < next; index++) {
    const offset = geometry.gap * (index - first);
    const left = Math.round(reached);
    reached += (ratios[index] ?? TYPICAL_RATIO) * scale;
    cells.push({ index, left: left + offset, top, width: Math.round(reached) - left, height });
  }
  return cells;
}

/** Return the index of the last entry of an ascending list that is at most `value`, or 0. */
export function lastNotAbove(list: ArrayLike<number>, value: number): number {
  let low = 0;
  let high = list.length - 1;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if ((list[middle] ?? 0) <= value) low = middle;
    else high = middle - 1;
  }
  return low;
}
