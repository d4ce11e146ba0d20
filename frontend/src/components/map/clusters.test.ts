import { describe, expect, it } from "vitest";

import { createClusters, photosIn, type PlacedPhoto } from "./clusters";

const WORLD = { west: -180, south: -85, east: 180, north: 85 };

function photo(id: string, latitude: number, longitude: number, taken = "2026-01-01"): PlacedPhoto {
  return {
    id,
    geotag_lat: latitude,
    geotag_lng: longitude,
    taken_date: `${taken}T00:00:00`,
  } as PlacedPhoto;
}

const lisbon = [
  photo("a", 38.71, -9.14, "2025-05-01"),
  photo("b", 38.72, -9.13, "2026-05-01"),
  photo("c", 38.7, -9.15, "2024-05-01"),
];
const nullIsland = photo("zero", 0, 0);

describe("markers", () => {
  it("join photos that are close, under the newest of them", () => {
    const markers = createClusters([...lisbon, nullIsland]).markersIn(WORLD, 2);
    expect(markers.map(({ photo: { id }, count }) => [id, count]).sort()).toEqual([
      ["b", 3],
      ["zero", 1],
    ]);
  });

  it("fall apart when the map is zoomed in", () => {
    const clusters = createClusters(lisbon);
    const zoom = clusters.markersIn(WORLD, 2)[0]?.zoom ?? 0;
    expect(clusters.markersIn(WORLD, zoom - 1)).toHaveLength(1);
    expect(clusters.markersIn(WORLD, zoom).length).toBeGreaterThan(1);
    expect(clusters.markersIn(WORLD, 15)).toHaveLength(3);
  });

  it("of one place never fall apart", () => {
    const same = [photo("a", 38.71, -9.14), photo("b", 38.71, -9.14)];
    expect(createClusters(same).markersIn(WORLD, 16)).toMatchObject([{ count: 2, zoom: null }]);
  });

  it("are only those in view", () => {
    const north = { ...WORLD, south: 30 };
    expect(createClusters([...lisbon, nullIsland]).markersIn(north, 2)).toHaveLength(1);
  });

  it("keep their keys when the map moves", () => {
    const clusters = createClusters(lisbon);
    expect(clusters.markersIn({ ...WORLD, west: -20 }, 2)[0]?.key).toBe(
      clusters.markersIn(WORLD, 2)[0]?.key,
    );
  });

  it("of 50,000 photos are found quickly", () => {
    const many = Array.from({ length: 50_000 }, (_, index) =>
      photo(String(index), ((index * 37) % 1400) / 10 - 70, ((index * 91) % 3600) / 10 - 180),
    );
    const clusters = createClusters(many);
    const started = performance.now();
    const count = clusters.markersIn(WORLD, 3).reduce((sum, marker) => sum + marker.count, 0);
    expect(count).toBe(50_000);
    expect(performance.now() - started).toBeLessThan(1_000);
  });
});

describe("photos in view", () => {
  it("include those on the edge, and exactly 0°", () => {
    const box = { west: -9.15, south: 0, east: 0, north: 38.71 };
    expect(photosIn([...lisbon, nullIsland], box).map(({ id }) => id)).toEqual(["a", "c", "zero"]);
  });
});
