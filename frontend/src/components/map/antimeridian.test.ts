import { expect, test } from "vitest";

import { flatPolygons } from "./antimeridian";

test("a polygon on one side of the antimeridian is left as it is", () => {
  const square = [
    [0, 0],
    [10, 0],
    [10, 10],
    [0, 0],
  ];
  expect(flatPolygons([[square]])).toEqual([[square]]);
});

test("a polygon across the antimeridian is at both edges of the map, without a jump", () => {
  const island = [
    [170, 0],
    [-170, 0],
    [-170, 5],
    [170, 0],
  ];
  const east = [
    [170, 0],
    [190, 0],
    [190, 5],
    [170, 0],
  ];
  const west = east.map(([longitude = 0, latitude = 0]) => [longitude - 360, latitude]);
  const found = flatPolygons([[island]]);
  expect(found).toContainEqual([east]);
  expect(found).toContainEqual([west]);
  expect(found).toHaveLength(2);
});

test("a continent around the pole is closed along the edge of the map", () => {
  const coast = [
    [-180, -70],
    [-90, -71],
    [0, -70],
    [90, -71],
    [180, -70],
    [-180, -70],
  ];
  const [[ring] = []] = flatPolygons([[coast]]);
  expect(ring?.slice(-3)).toEqual([
    [180, -70],
    [180, -90],
    [-180, -90],
  ]);
});
