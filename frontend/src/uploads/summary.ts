/** What the region `Uploads` says about the whole queue, and the order of its rows. */
import { isActive, isOver, type Entry, type State } from "./entry";

export interface Summary {
  all: number;
  left: number;
  done: number;
  known: number;
  failed: number;
  /** Of all bytes, between 0 and 1; a file that is over counts as a whole. */
  fraction: number;
}

export function summaryOf(entries: readonly Entry[], loaded: ReadonlyMap<string, number>): Summary {
  const count = (state: State) => entries.filter((entry) => entry.state === state).length;
  const size = entries.reduce((sum, entry) => sum + Math.max(entry.size, 1), 0);
  const sent = entries.reduce(
    (sum, entry) => sum + Math.max(entry.size, 1) * fractionOf(entry, loaded.get(entry.id) ?? 0),
    0,
  );
  return {
    all: entries.length,
    left: entries.filter((entry) => !isOver(entry)).length,
    done: count("done"),
    known: count("known"),
    failed: count("failed"),
    fraction: size > 0 ? sent / size : 0,
  };
}

/** Return how much of a file has been sent, between 0 and 1. */
export function fractionOf(entry: Entry, loaded: number): number {
  if (isOver(entry) || entry.state === "processing") return 1;
  return entry.state === "uploading" ? Math.min(1, loaded / Math.max(entry.size, 1)) : 0;
}

/** Return entries with those first that need attention, then what happens now, then the rest. */
export function inDisplayOrder(entries: readonly Entry[]): Entry[] {
  const groups: Entry[][] = [[], [], [], []];
  for (const entry of entries) groups[rank(entry)]?.push(entry);
  return groups.flat();
}

function rank(entry: Entry): number {
  if (entry.state === "failed") return 0;
  if (isActive(entry)) return 1;
  return entry.state === "waiting" ? 2 : 3;
}

/** Rows `first` to `last` (exclusive) of a list, with the space before and after them. */
export interface Rows {
  first: number;
  last: number;
  before: number;
  after: number;
}

/**
 * Return the rows to render of a list whose first `tall` rows have another height than the rest.
 * `top` and `height` are those of the visible part.
 */
export function rowsToShow(
  list: { count: number; tall: number; tallHeight: number; rowHeight: number },
  top: number,
  height: number,
  margin = 4,
): Rows {
  const { count, tall, tallHeight, rowHeight } = list;
  const topOf = (row: number) =>
    Math.min(row, tall) * tallHeight + Math.max(0, row - tall) * rowHeight;
  const rowAt = (offset: number) =>
    offset < tall * tallHeight
      ? Math.floor(offset / tallHeight)
      : tall + Math.floor((offset - tall * tallHeight) / rowHeight);
  const first = Math.min(count, Math.max(0, rowAt(top) - margin));
  const last = Math.min(count, rowAt(top + height) + 1 + margin);
  return { first, last, before: topOf(first), after: topOf(count) - topOf(last) };
}
