import { describe, expect, it } from "vitest";

import type { Photo } from "@/api/types";
import { layoutGrid, positionAt, Ratios, renderBetween, rowBounds, sectionAt } from "./grid";

const geometry = { width: 1000, target: 200, gap: 4 };
const sections = [
  { month: "2026-11", count: 40 },
  { month: "2026-10", count: 500 },
  { month: "2025-01", count: 3 },
];

describe("the layout of a grid", () => {
  const layout = layoutGrid(sections, new Ratios(), geometry);

  it("has the sections one below the other, each with its heading", () => {
    let top = 0;
    for (const section of layout.sections) {
      expect(section.top).toBe(top);
      expect(section.height).toBeGreaterThan(section.rows.height + section.heading);
      top += section.height;
    }
    expect(layout.height).toBe(top);
    expect(layout.sections.map(({ first }) => first)).toEqual([0, 40, 540]);
  });

  it("has no heading for a list without months", () => {
    const plain = layoutGrid([{ month: "", count: 9 }], new Ratios(), geometry);
    expect(plain.sections[0]?.heading).toBe(0);
  });

  it("finds photos by their place, and their place again", () => {
    for (const offset of [0, 100, 900, 5000, layout.height - 1]) {
      const { top, bottom } = rowBounds(layout, positionAt(layout, offset));
      const section = layout.sections[sectionAt(layout, offset)];
      // Headings and gaps belong to the rows next to them.
      expect(top - 60).toBeLessThanOrEqual(offset);
      expect(bottom + 20).toBeGreaterThanOrEqual(offset);
      expect(section?.top).toBeLessThanOrEqual(offset);
    }
    expect(positionAt(layout, 1e9)).toBe(540);
    expect(positionAt(layout, -100)).toBe(0);
  });

  it("keeps rows of which nothing has changed", () => {
    const ratios = new Ratios();
    const before = layoutGrid(sections, ratios, geometry);
    const square = { width: 10, height: 10 } as Photo;
    expect(ratios.learn(sections, (each) => (each < 40 ? square : undefined), 0, 600)).toBe(true);
    expect(ratios.learn(sections, (each) => (each < 40 ? square : undefined), 0, 600)).toBe(false);
    const after = layoutGrid(sections, ratios, geometry, before);
    expect(after.sections[0]?.rows).not.toBe(before.sections[0]?.rows);
    expect(after.sections[1]?.rows).toBe(before.sections[1]?.rows);
    expect(after.sections[1]?.top).not.toBe(before.sections[1]?.top);
  });

  it("keeps the shapes of photos that are no longer loaded", () => {
    const ratios = new Ratios();
    ratios.learn(sections, () => ({ width: 10, height: 10 }) as Photo, 0, 10);
    ratios.learn(sections, () => undefined, 0, 10);
    expect(ratios.of({ month: "2026-11", count: 40 })[3]).toBe(1);
    expect(ratios.of({ month: "2026-11", count: 41 })[3]).toBe(1);
  });
});

describe("what is rendered", () => {
  const layout = layoutGrid(sections, new Ratios(), geometry);
  const positions = (start: number, end: number, kept: number | null = null) =>
    renderBetween(layout, start, end, kept).flatMap(({ section, cells }) =>
      cells.map(({ index }) => section.first + index),
    );

  it("are the rows between two offsets, and no others", () => {
    const start = layout.sections[1]?.top ?? 0;
    const found = positions(start, start + 800);
    expect(found[0]).toBe(40);
    expect(found.length).toBeGreaterThan(10);
    expect(found.length).toBeLessThan(30);
    expect(found).toEqual([...found].sort((a, b) => a - b));
  });

  it("is also the row that has the focus, wherever it is", () => {
    const start = layout.sections[1]?.top ?? 0;
    expect(positions(start, start + 800)).not.toContain(2);
    expect(positions(start, start + 800, 2)).toContain(2);
    expect(positions(start, start + 800, 300)).toContain(300);
  });

  it("is bounded, however many photos there are", () => {
    const huge = layoutGrid([{ month: "2026-11", count: 50_000 }], new Ratios(), geometry);
    const cells = renderBetween(huge, 1_000_000, 1_002_000, null)[0]?.cells ?? [];
    expect(cells.length).toBeLessThan(60);
    expect(cells[0]?.top).toBeGreaterThan(999_000);
  });
});
