/** How the timeline is cut into ranges of months, each of which a request can ask for. */
import type { ListQuery } from "@/api/types";
import type { Section } from "./source";

/** Consecutive months: a few with little in each, or one with so much that it has pages. */
export interface Range {
  readonly sections: readonly Section[];
  readonly count: number;
  /** The oldest month; "" of the last range, which has no end. */
  readonly oldest: string;
  /**
   * The dates of the range. Ranges cover all of time, so that a photo is found even if its month is
   * too new for the counters. The first range has none: its beginning is that of the whole list.
   */
  readonly query: Pick<ListQuery, "from" | "to">;
}

/** Photos of a page, enough for the first screen and a second one. */
export const PAGE = 250;
/** A range with fewer photos than a page has one request, whose end shows that it is complete. */
const LARGEST_GROUP = 240;

/** Return the ranges of the months, newest first. */
export function rangesOf(sections: readonly Section[]): Range[] {
  const groups: Section[][] = [];
  let count = 0;
  for (const section of sections) {
    const group = groups.at(-1);
    if (group && count + section.count <= LARGEST_GROUP) {
      group.push(section);
      count += section.count;
    } else {
      groups.push([section]);
      count = section.count;
    }
  }
  return groups.map((group, index) => {
    const isLast = index === groups.length - 1;
    const oldest = isLast ? "" : (group.at(-1)?.month ?? "");
    const newer = groups[index - 1]?.at(-1)?.month;
    return {
      sections: group,
      count: group.reduce((sum, section) => sum + section.count, 0),
      oldest,
      query: {
        ...(newer && oldest && { from: `${oldest}-01` }),
        ...(newer && { to: dayBefore(newer) }),
      },
    };
  });
}

/** Return the last day before a month. */
function dayBefore(month: string): string {
  return new Date(Date.parse(`${month}-01T00:00:00Z`) - 86_400_000).toISOString().slice(0, 10);
}
