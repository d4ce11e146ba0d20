import { expect, it } from "vitest";

import type { Photo } from "@/api/types";
import { nextDetail, type Viewport } from "./detail";
import { layoutGrid, Ratios, renderBetween } from "./grid";

const layout = layoutGrid([{ month: "2026-11", count: 500 }], new Ratios(), {
  width: 1000,
  target: 200,
  gap: 4,
});
const rendered = renderBetween(layout, 3000, 5000, null);
const all = rendered.flatMap(({ cells }) => cells.map(({ index }) => index));
const viewport: Viewport = { start: 3500, end: 4500, kept: null };
const loaded = () => ({}) as Photo;
const none = new Set<number>();

it("completes a few photos in each frame, those in the window first, until all are", () => {
  const visible = new Set(
    renderBetween(layout, 3500, 4500, null).flatMap(({ cells }) => cells.map(({ index }) => index)),
  );
  let detail = nextDetail(rendered, none, loaded, viewport, 5);
  expect([...detail.positions].every((position) => visible.has(position))).toBe(true);
  let frames = 1;
  for (; !detail.isFinished; frames++) {
    const next = nextDetail(rendered, detail.positions, loaded, viewport, 5);
    expect(next.positions.size).toBeLessThanOrEqual(detail.positions.size + 5);
    detail = next;
  }
  expect([...detail.positions].sort((a, b) => a - b)).toEqual(all);
  expect(frames).toBe(Math.ceil(all.length / 5));
});

it("completes nothing while people scroll too fast, except what has the focus", () => {
  const kept = all[3] ?? 0;
  const { positions } = nextDetail(rendered, none, loaded, { ...viewport, kept }, 0);
  expect([...positions]).toEqual([kept]);
});

it("forgets photos that are no longer rendered, and waits for none that is not loaded", () => {
  const before = new Set([1, ...all.slice(0, 2)]);
  const detail = nextDetail(rendered, before, () => undefined, viewport, 5);
  expect([...detail.positions]).toEqual(all.slice(0, 2));
  expect(detail.isFinished).toBe(true);
});
