/** Outlines that cross the antimeridian: a flat map would draw them as lines across the world. */
import type { Position } from "geojson";

/** Return polygons that a flat map can draw. Those that cross the antimeridian are at both edges. */
export function flatPolygons(polygons: readonly Position[][][]): Position[][][] {
  return polygons.flatMap((rings) => {
    const flat = rings.map(flatRing);
    const longitudes = (flat[0] ?? []).map(longitudeOf);
    return [
      flat,
      ...(Math.max(...longitudes) > 180 ? [shifted(flat, -360)] : []),
      ...(Math.min(...longitudes) < -180 ? [shifted(flat, 360)] : []),
    ];
  });
}

/** Return a ring with longitudes beyond 180 degrees rather than a jump from one edge to the other. */
function flatRing(ring: readonly Position[]): Position[] {
  let turns = 0;
  let before = longitudeOf(ring[0]);
  const flat = ring.map((position) => {
    const longitude = longitudeOf(position);
    turns -= Math.round((longitude - before) / 360);
    before = longitude;
    return [longitude + turns * 360, position[1] ?? 0];
  });
  // Antarctica goes around the pole: only the pole's edge of the map closes it.
  if (turns !== 0) flat.push([longitudeOf(flat.at(-1)), -90], [longitudeOf(flat[0]), -90]);
  const middle = flat.reduce((sum, position) => sum + longitudeOf(position), 0) / flat.length;
  return shiftedRing(flat, -360 * Math.round(middle / 360));
}

function shifted(rings: readonly Position[][], degrees: number): Position[][] {
  return rings.map((ring) => shiftedRing(ring, degrees));
}

function shiftedRing(ring: readonly Position[], degrees: number): Position[] {
  return ring.map((position) => [longitudeOf(position) + degrees, position[1] ?? 0]);
}

function longitudeOf(position: Position | undefined): number {
  return position?.[0] ?? 0;
}
