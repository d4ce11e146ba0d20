/** Where each photo of a list is on the page, whether it is loaded or not. */
import type { Photo } from "@/api/types";
import {
  cellsOf,
  justify,
  lastNotAbove,
  ratioOf,
  rowAt,
  rowCount,
  rowOf,
  TYPICAL_RATIO,
  type Cell,
  type Geometry,
  type Rows,
} from "./layout";
import type { Section } from "./source";

export interface SectionLayout {
  readonly month: string;
  /** Position of its first photo in the list. */
  readonly first: number;
  readonly count: number;
  /** Pixels from the top of the grid. */
  readonly top: number;
  /** Of its heading, which is above its rows. */
  readonly heading: number;
  /** With the heading, and the space below. */
  readonly height: number;
  readonly ratios: Float32Array;
  readonly rows: Rows;
}

export interface GridLayout {
  readonly geometry: Geometry;
  readonly sections: readonly SectionLayout[];
  readonly height: number;
}

/** A part of a section that is in the document. */
export interface Rendered {
  readonly section: SectionLayout;
  readonly firstRow: number;
  readonly lastRow: number;
  readonly cells: readonly Cell[];
}

const HEADING = 48;
const SPACE_BELOW = 12;

/** The shapes of the photos: those that were loaded once stay known. */
export class Ratios {
  private readonly known = new Map<string, Float32Array>();

  of({ month, count }: Section): Float32Array {
    const found = this.known.get(month);
    if (found?.length === count) return found;
    const ratios = new Float32Array(count).fill(TYPICAL_RATIO);
    if (found) ratios.set(found.subarray(0, count));
    this.known.set(month, ratios);
    return ratios;
  }

  /** Learn the shapes of loaded photos, and return whether any was new. */
  learn(
    sections: readonly Section[],
    at: (position: number) => Photo | undefined,
    first: number,
    last: number,
  ): boolean {
    let start = 0;
    let isNew = false;
    for (const section of sections) {
      const from = Math.max(0, first - start);
      const to = Math.min(section.count - 1, last - start);
      let ratios = this.of(section);
      let isCopied = false;
      for (let index = from; index <= to; index++) {
        const photo = at(start + index);
        const ratio = photo && Math.fround(ratioOf(photo));
        if (ratio === undefined || ratio === ratios[index]) continue;
        // Layouts compare the lists to see whether anything has changed.
        if (!isCopied) ratios = ratios.slice();
        isCopied = true;
        ratios[index] = ratio;
      }
      if (isCopied) this.known.set(section.month, ratios);
      isNew ||= isCopied;
      start += section.count;
    }
    return isNew;
  }
}

/** Lay out all sections. Rows of `before` are used again where nothing has changed. */
export function layoutGrid(
  sections: readonly Section[],
  ratios: Ratios,
  geometry: Geometry,
  before?: GridLayout,
): GridLayout {
  const isSame =
    before &&
    before.geometry.width === geometry.width &&
    before.geometry.target === geometry.target &&
    before.geometry.gap === geometry.gap;
  const old = new Map(isSame ? before.sections.map((each) => [each.month, each]) : []);
  let first = 0;
  let top = 0;
  const laidOut = sections.map((section): SectionLayout => {
    const { month, count } = section;
    const shapes = ratios.of(section);
    const same = old.get(month);
    const rows = same?.ratios === shapes ? same.rows : justify(shapes, geometry);
    const heading = month ? HEADING : 0;
    const height = heading + rows.height + SPACE_BELOW;
    const layout = { month, first, count, top, heading, height, ratios: shapes, rows };
    first += count;
    top += height;
    return layout;
  });
  return { geometry, sections: laidOut, height: top };
}

/** Return the index of the section at an offset from the top, or the nearest one. */
export function sectionAt(layout: GridLayout, offset: number): number {
  return lastNotAbove(
    layout.sections.map(({ top }) => top),
    offset,
  );
}

/** Return the index of the section that has a position. */
export function sectionOf(layout: GridLayout, position: number): number {
  return lastNotAbove(
    layout.sections.map(({ first }) => first),
    position,
  );
}

/** Return the top and the bottom of the row of a photo. */
export function rowBounds(layout: GridLayout, position: number): { top: number; bottom: number } {
  const section = layout.sections[sectionOf(layout, position)];
  if (!section) return { top: 0, bottom: 0 };
  const row = rowOf(section.rows, position - section.first);
  const start = section.top + section.heading;
  const top = start + (section.rows.tops[row] ?? 0);
  return { top, bottom: start + (section.rows.tops[row + 1] ?? 0) - layout.geometry.gap };
}

/** Return the position of the first photo of the row at an offset, or of the nearest one. */
export function positionAt(layout: GridLayout, offset: number): number {
  const section = layout.sections[sectionAt(layout, offset)];
  if (!section) return 0;
  const row = rowAt(section.rows, offset - section.top - section.heading);
  return section.first + (section.rows.firsts[row] ?? 0);
}

/** Return the rows between two offsets, and the row of `kept`, by section. */
export function renderBetween(
  layout: GridLayout,
  start: number,
  end: number,
  kept: number | null,
): Rendered[] {
  const rendered: Rendered[] = [];
  const from = sectionAt(layout, start);
  const keptSection = kept === null ? -1 : sectionOf(layout, kept);
  for (const [index, section] of layout.sections.entries()) {
    const isVisible = index >= from && section.top < end && section.top + section.height > start;
    const keptRow = index === keptSection ? rowOf(section.rows, (kept ?? 0) - section.first) : -1;
    if (!isVisible && keptRow < 0) continue;
    const rowsTop = section.top + section.heading;
    const firstRow = rowAt(section.rows, start - rowsTop);
    const lastRow = rowAt(section.rows, end - rowsTop);
    const cells: Cell[] = [];
    const rows = isVisible ? range(firstRow, lastRow) : [];
    if (keptRow >= 0 && !rows.includes(keptRow)) rows.push(keptRow);
    rows.sort((a, b) => a - b);
    if (rowCount(section.rows) > 0) {
      for (const row of rows) {
        cells.push(...cellsOf(section.rows, section.ratios, row, layout.geometry));
      }
    }
    rendered.push({ section, firstRow, lastRow, cells });
  }
  return rendered;
}

function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}
