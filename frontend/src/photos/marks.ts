/** The years of the timeline, and steps of months. */
import type { GridLayout } from "./grid";

export interface Mark {
  year: string;
  /** From the top (0) to the bottom (1). */
  place: number;
}

/** Marks that are nearer to each other would overlap. */
const NEAREST = 0.035;

/** Return the years that fit, each where its last month is. */
export function yearMarks(layout: GridLayout): Mark[] {
  const marks: Mark[] = [];
  let before = "";
  for (const { month, top } of layout.sections) {
    const year = month.slice(0, 4);
    if (!year || year === before) continue;
    before = year;
    const place = top / Math.max(1, layout.height);
    const last = marks.at(-1);
    if (!last || place - last.place >= NEAREST) marks.push({ year, place });
  }
  return marks;
}

/** Return the index of the month that is `months` later than another, or the next one beyond. */
export function monthsAway(list: readonly string[], from: number, months: number): number {
  const target = numberOf(list[from] ?? "") + months;
  if (months < 0) {
    const found = list.findIndex((month) => numberOf(month) <= target);
    return found < 0 ? list.length - 1 : found;
  }
  const found = list.findLastIndex((month) => numberOf(month) >= target);
  return Math.max(0, found);
}

function numberOf(month: string): number {
  return Number(month.slice(0, 4)) * 12 + Number(month.slice(5));
}
