import { describe, expect, it } from "vitest";

import { cellsOf, justify, lastNotAbove, ratioOf, rowAt, rowCount, rowOf } from "./layout";

const geometry = { width: 1000, target: 200, gap: 4 };

function mixed(count: number): Float32Array {
  const ratios = [1.5, 0.75, 1.33, 1, 1.78, 0.66, 3, 0.5];
  return Float32Array.from({ length: count }, (_, index) => ratios[(index * 7) % 8] ?? 1);
}

function allCells(ratios: Float32Array) {
  const rows = justify(ratios, geometry);
  return Array.from({ length: rowCount(rows) }, (_, row) => cellsOf(rows, ratios, row, geometry));
}

describe("justified rows", () => {
  it("reach both edges with whole pixels and equal gaps", () => {
    for (const row of allCells(mixed(200)).slice(0, -1)) {
      expect(row[0]?.left).toBe(0);
      const last = row.at(-1);
      expect((last?.left ?? 0) + (last?.width ?? 0)).toBe(1000);
      row.slice(1).forEach((cell, index) => {
        const before = row[index];
        expect(cell.left - (before?.left ?? 0) - (before?.width ?? 0)).toBe(4);
        expect(cell.height).toBe(before?.height);
      });
    }
  });

  it("have every photo once, in order", () => {
    const indices = allCells(mixed(501)).flatMap((row) => row.map(({ index }) => index));
    expect(indices).toEqual(Array.from({ length: 501 }, (_, index) => index));
  });

  it("are near the target height, and keep the photos' shapes", () => {
    const ratios = mixed(400);
    for (const row of allCells(ratios).slice(0, -1)) {
      for (const { index, width, height } of row) {
        expect(height).toBeGreaterThan(120);
        expect(height).toBeLessThan(320);
        expect(Math.abs(width / height - (ratios[index] ?? 0))).toBeLessThan(0.03);
      }
    }
  });

  it("end before a photo that would make them much too low", () => {
    const rows = justify(Float32Array.of(1.5, 1.5, 1.5, 3.2, 1.5, 1.5), geometry);
    expect(rows.firsts[1]).toBe(3);
  });

  it("do not move when photos are added at the end", () => {
    const short = justify(mixed(100), geometry);
    const long = justify(mixed(150), geometry);
    const rows = rowCount(short) - 1;
    expect(long.tops.slice(0, rows)).toEqual(short.tops.slice(0, rows));
  });

  it("leave a short last row at the target height instead of stretching it", () => {
    const ratios = Float32Array.of(1.5, 1.5);
    const rows = justify(ratios, geometry);
    expect(cellsOf(rows, ratios, 0, geometry)).toEqual([
      { index: 0, left: 0, top: 0, width: 300, height: 200 },
      { index: 1, left: 304, top: 0, width: 300, height: 200 },
    ]);
    expect(rows.height).toBe(200);
  });

  it("exist for no photo, one very wide photo, and a very narrow window", () => {
    expect(rowCount(justify(new Float32Array(0), geometry))).toBe(0);
    expect(justify(Float32Array.of(3.2), { ...geometry, width: 320 }).height).toBe(100);
    const narrow = { width: 60, target: 120, gap: 2 };
    const ratios = Float32Array.of(3, 0.5, 1);
    const rows = justify(ratios, narrow);
    const cells = Array.from({ length: rowCount(rows) }, (_, row) =>
      cellsOf(rows, ratios, row, narrow),
    ).flat();
    expect(cells).toHaveLength(3);
    for (const { left, width } of cells) expect(left + width).toBeLessThanOrEqual(60);
  });

  it("are computed for 50,000 photos at once", () => {
    const rows = justify(mixed(50_000), geometry);
    expect(rows.firsts.at(-1)).toBe(50_000);
  });
});

describe("finding rows", () => {
  it("finds the row of an offset and of a photo, and the nearest one outside", () => {
    const rows = justify(mixed(60), geometry);
    const top = rows.tops[2] ?? 0;
    expect(rowAt(rows, top)).toBe(2);
    expect(rowAt(rows, top - 1)).toBe(1);
    expect(rowAt(rows, -50)).toBe(0);
    expect(rowAt(rows, 1e9)).toBe(rowCount(rows) - 1);
    expect(rowOf(rows, rows.firsts[3] ?? 0)).toBe(3);
    expect(rowOf(rows, (rows.firsts[3] ?? 0) - 1)).toBe(2);
    expect(rowOf(rows, 1e9)).toBe(rowCount(rows) - 1);
    expect(lastNotAbove([], 5)).toBe(0);
  });
});

describe("a cell's shape", () => {
  it("is the photo's, within limits, and a typical one if the photo has none", () => {
    expect(ratioOf({ width: 600, height: 400 })).toBe(1.5);
    expect(ratioOf({ width: 10_000, height: 100 })).toBe(3.2);
    expect(ratioOf({ width: 1, height: 100 })).toBe(0.5);
    expect(ratioOf({ width: 0, height: 0 })).toBeCloseTo(1.333);
  });
});
