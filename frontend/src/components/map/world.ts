/** A map of the world's outlines, which come with the web app: nobody learns what is looked at. */
import type { MultiPolygon } from "geojson";
import L from "leaflet";
import "leaflet/dist/leaflet.css";
import { feature, mesh } from "topojson-client";
import type { GeometryCollection, Topology } from "topojson-specification";
import coarseOutlines from "world-atlas/countries-110m.json?url";
import fineOutlines from "world-atlas/countries-50m.json?url";

import { text } from "@/text/en";
import { flatPolygons } from "./antimeridian";
import "./world.css";

type World = Topology<{ countries: GeometryCollection; land: GeometryCollection }>;

/** From here on, the coarse outlines look wrong. */
const FINE_ZOOM = 4;
/** Beyond it, there is nothing to see in Mercator's projection. */
const EDGE = L.latLngBounds([-72, -180], [84, 180]);

/** Create a map in an element, with its outlines on their way. Remove it with `map.remove()`. */
export function createWorldMap(element: HTMLElement, options: L.MapOptions = {}): L.Map {
  const isStill = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
  const map = L.map(element, {
    attributionControl: false,
    zoomControl: false,
    zoomSnap: 0.5,
    maxZoom: 17,
    maxBounds: EDGE,
    maxBoundsViscosity: 1,
    zoomAnimation: !isStill,
    fadeAnimation: !isStill,
    markerZoomAnimation: !isStill,
    inertia: !isStill,
    ...options,
  });
  map.fitBounds(EDGE);
  if (options.zoomControl !== false) {
    L.control
      .zoom({ zoomInTitle: text.map.zoomIn, zoomOutTitle: text.map.zoomOut, position: "topright" })
      .addTo(map);
  }
  followSize(map, element);
  map.on("unload", () => {
    // Leaflet would end a zoom that is under way on the map that is gone.
    Object.assign(map, { _animatingZoom: false });
  });
  void drawOutlines(map);
  return map;
}

/** A map is never so small that the world ends within it. */
function followSize(map: L.Map, element: HTMLElement): void {
  const adapt = () => {
    map.invalidateSize({ animate: false });
    const smallest = map.getBoundsZoom(EDGE, true);
    const zoom = Number.isFinite(smallest) ? smallest : 0;
    // `setMinZoom` would zoom slowly, and its end undo what has been moved in the meantime.
    if (map.getZoom() < zoom) map.setZoom(zoom, { animate: false });
    map.setMinZoom(zoom);
  };
  adapt();
  const observer = new ResizeObserver(adapt);
  observer.observe(element);
  map.on("unload", () => {
    observer.disconnect();
  });
}

async function drawOutlines(map: L.Map): Promise<void> {
  // The page may be left while a file is on its way.
  let isRemoved = false;
  map.on("unload", () => (isRemoved = true));
  let drawn = await outlines(coarseOutlines);
  if (isRemoved) return;
  drawn?.addTo(map);
  let isAsked = false;
  const refine = async () => {
    if (isAsked || map.getZoom() < FINE_ZOOM) return;
    isAsked = true;
    const fine = await outlines(fineOutlines);
    if (!fine || isRemoved) return;
    drawn?.remove();
    drawn = fine.addTo(map);
  };
  map.on("zoomend", () => void refine());
  await refine();
}

/** Return the layer of a file of outlines, or null without it: the photos' places still show. */
async function outlines(url: string): Promise<L.LayerGroup | null> {
  const response = await fetch(url).catch(() => null);
  if (!response?.ok) return null;
  const world = (await response.json()) as World;
  const { land, countries } = world.objects;
  const borders = mesh(world, countries, (a, b) => a !== b);
  return L.layerGroup([
    L.geoJSON(flatLand(world, land), { interactive: false, style: { className: "map-land" } }),
    L.geoJSON(borders, { interactive: false, style: { className: "map-border" } }),
  ]);
}

function flatLand(world: World, land: GeometryCollection): MultiPolygon {
  const coordinates = feature(world, land).features.flatMap(({ geometry }) =>
    geometry.type === "MultiPolygon" ? flatPolygons(geometry.coordinates) : [],
  );
  return { type: "MultiPolygon", coordinates };
}

/** Return a marker for the place of one photo. */
export function placeMarker(at: L.LatLngExpression, options: L.MarkerOptions = {}): L.Marker {
  const icon = L.divIcon({ className: "map-pin", iconSize: [20, 20] });
  return L.marker(at, { icon, keyboard: false, ...options });
}
