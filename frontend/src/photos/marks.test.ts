import { describe, expect, it } from "vitest";

import { layoutGrid, Ratios } from "./grid";
import { monthsAway, yearMarks } from "./marks";

describe("steps on the timeline", () => {
  const months = ["2026-11", "2026-01", "2025-11", "2025-10", "2020-05"];

  it("go a year back or forward, or to the next month beyond", () => {
    expect(monthsAway(months, 0, -12)).toBe(2);
    expect(monthsAway(months, 1, -12)).toBe(4);
    expect(monthsAway(months, 4, 12)).toBe(3);
    expect(monthsAway(months, 3, 12)).toBe(0);
  });

  it("end at the first and the last month", () => {
    expect(monthsAway(months, 4, -12)).toBe(4);
    expect(monthsAway(months, 0, 12)).toBe(0);
  });
});

describe("the marks of years", () => {
  const geometry = { width: 1000, target: 200, gap: 4 };

  it("are where the years begin", () => {
    const sections = ["2026-11", "2026-10", "2025-10"].map((month) => ({ month, count: 100 }));
    const marks = yearMarks(layoutGrid(sections, new Ratios(), geometry));
    expect(marks.map(({ year }) => year)).toEqual(["2026", "2025"]);
    expect(marks[1]?.place).toBeCloseTo(2 / 3);
  });

  it("leave out those that would overlap", () => {
    const sections = Array.from({ length: 100 }, (_, index) => ({
      month: `${String(2026 - index)}-01`,
      count: 10,
    }));
    const marks = yearMarks(layoutGrid(sections, new Ratios(), geometry));
    expect(marks.length).toBeLessThan(30);
    expect(marks[0]?.year).toBe("2026");
  });
});
