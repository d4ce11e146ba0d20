/** Photos that are close to each other on the map, as one marker. */
import Supercluster from "supercluster";

import type { Photo } from "@/api/types";

export type PlacedPhoto = Photo & { geotag_lat: number; geotag_lng: number };

export interface Box {
  west: number;
  south: number;
  east: number;
  north: number;
}

/** One photo, or the newest of several, and where to show it. */
export interface Marker {
  /** The same for the same photos, so that a marker stays while the map moves. */
  key: string;
  photo: PlacedPhoto;
  count: number;
  latitude: number;
  longitude: number;
  /** The zoom at which it falls apart, or null if its photos are all at one place. */
  zoom: number | null;
}

const RADIUS = 72; // px
const LARGEST_ZOOM = 16;

export function createClusters(photos: readonly PlacedPhoto[]) {
  const index = new Supercluster<{ photo: PlacedPhoto }, { photo: PlacedPhoto }>({
    radius: RADIUS,
    extent: 256, // Leaflet's size of the world at zoom 0
    maxZoom: LARGEST_ZOOM,
    map: ({ photo }) => ({ photo }),
    reduce(cluster, { photo }) {
      if (dateOf(photo) > dateOf(cluster.photo)) cluster.photo = photo;
    },
  });
  index.load(
    photos.map((photo) => ({
      type: "Feature",
      geometry: { type: "Point", coordinates: [photo.geotag_lng, photo.geotag_lat] },
      properties: { photo },
    })),
  );

  /** Return the markers in a part of the map. */
  function markersIn({ west, south, east, north }: Box, zoom: number): Marker[] {
    const found = index.getClusters([west, south, east, north], Math.floor(zoom));
    return found.map((feature) => {
      const [longitude = 0, latitude = 0] = feature.geometry.coordinates;
      const { properties } = feature;
      const { photo } = properties;
      if (!("cluster_id" in properties)) {
        return { key: photo.id, photo, count: 1, latitude, longitude, zoom: null };
      }
      const { cluster_id: id, point_count: count } = properties;
      const apart = index.getClusterExpansionZoom(id);
      const key = `${photo.id} ${String(count)}`;
      return { key, photo, count, latitude, longitude, zoom: apart > LARGEST_ZOOM ? null : apart };
    });
  }

  return { markersIn };
}

/** Return the photos in a part of the map, newest first. */
export function photosIn(photos: readonly PlacedPhoto[], box: Box): PlacedPhoto[] {
  return photos.filter(({ geotag_lat: latitude, geotag_lng: longitude }) => {
    const isNear = latitude >= box.south && latitude <= box.north;
    return isNear && longitude >= box.west && longitude <= box.east;
  });
}

function dateOf(photo: Photo): string {
  return photo.taken_date ?? photo.upload_date;
}
