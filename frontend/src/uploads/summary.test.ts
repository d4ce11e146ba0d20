import { describe, expect, it } from "vitest";

import { newEntry, type Entry, type State } from "./entry";
import { inDisplayOrder, rowsToShow, summaryOf } from "./summary";

function entry(id: string, state: State, size = 100): Entry {
  const file = { name: id, size, type: "", lastModified: 0 };
  return { ...newEntry(file, "mario", 1, id), state };
}

it("counts the files, and measures progress in bytes", () => {
  const entries = [
    entry("a", "done", 300),
    entry("b", "uploading", 200),
    entry("c", "waiting", 400),
    entry("d", "failed", 100),
  ];
  expect(summaryOf(entries, new Map([["b", 50]]))).toEqual({
    all: 4,
    left: 2,
    done: 1,
    known: 0,
    failed: 1,
    fraction: 0.45,
  });
});

it("is at its end when all files are over, also empty ones", () => {
  expect(summaryOf([entry("a", "done", 0), entry("b", "known")], new Map()).fraction).toBe(1);
});

it("shows first what needs attention, then what happens, what waits and what is over", () => {
  const states: State[] = ["done", "waiting", "processing", "failed", "uploading", "known"];
  const entries = states.map((state) => entry(state, state));
  expect(inDisplayOrder(entries).map(({ id }) => id)).toEqual([
    "failed",
    "processing",
    "uploading",
    "waiting",
    "done",
    "known",
  ]);
});

describe("rowsToShow", () => {
  const list = { count: 10_000, tall: 10, tallHeight: 100, rowHeight: 50 };

  it("renders a screenful of thousands of rows, in a list of the full height", () => {
    const rows = rowsToShow(list, 0, 400, 4);
    expect(rows).toEqual({ first: 0, last: 9, before: 0, after: 1_000 + 9_990 * 50 - 900 });
  });

  it("follows the scroll position past the tall rows", () => {
    const rows = rowsToShow(list, 1_000 + 50 * 100, 400, 4);
    expect(rows).toMatchObject({ first: 106, last: 123, before: 1_000 + 96 * 50 });
  });

  it("ends with the last row", () => {
    const rows = rowsToShow(list, 1_000 + 9_990 * 50 - 400, 400, 4);
    expect(rows).toMatchObject({ last: 10_000, after: 0 });
  });

  it("renders nothing of an empty list", () => {
    expect(rowsToShow({ ...list, count: 0, tall: 0 }, 0, 400)).toEqual({
      first: 0,
      last: 0,
      before: 0,
      after: 0,
    });
  });
});
