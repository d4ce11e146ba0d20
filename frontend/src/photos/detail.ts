/** Which photos of a grid are complete, while people scroll: the others are only their color. */
import type { Photo } from "@/api/types";
import type { Rendered } from "./grid";

export interface Detail {
  /** The positions of the photos that are complete. */
  readonly positions: ReadonlySet<number>;
  /** Whether all that are loaded are. */
  readonly isFinished: boolean;
}

export interface Viewport {
  readonly start: number;
  readonly end: number;
  /** The position of the photo that has the focus: it is always complete. */
  readonly kept: number | null;
}

/**
 * Return the photos that are complete in the next frame: those of the last one that are still
 * rendered, and at most a number of others, since each takes time. Those in the window come first.
 */
export function nextDetail(
  rendered: readonly Rendered[],
  before: ReadonlySet<number>,
  at: (position: number) => Photo | undefined,
  { start, end, kept }: Viewport,
  most: number,
): Detail {
  const positions = new Set<number>();
  const visible: number[] = [];
  const others: number[] = [];
  for (const { section, cells } of rendered) {
    for (const { index, top, height } of cells) {
      const position = section.first + index;
      if (before.has(position) || position === kept) positions.add(position);
      else if (at(position)) {
        const y = section.top + section.heading + top;
        (y < end && y + height > start ? visible : others).push(position);
      }
    }
  }
  const waiting = [...visible, ...others];
  for (const position of waiting.slice(0, most)) positions.add(position);
  return { positions, isFinished: waiting.length <= most };
}
