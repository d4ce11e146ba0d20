import L from "leaflet";

import { stableUrl } from "@/photos/urls";
import { number } from "@/text/en";
import type { Marker } from "./clusters";

const SIZE = 56; // px

/** Return a marker's thumbnail, with the number of its photos. */
export function markerIcon({ photo, count }: Marker): L.DivIcon {
  const content = document.createElement("div");
  content.className = "map-photo";
  const image = document.createElement("img");
  image.alt = "";
  image.crossOrigin = "anonymous";
  image.draggable = false;
  if (photo.thumbSrc) image.src = stableUrl(photo.thumbSrc);
  content.append(image);
  if (count > 1) {
    const badge = document.createElement("span");
    badge.className = "map-count";
    badge.textContent = number(count);
    content.append(badge);
  }
  return L.divIcon({ className: "map-marker", html: content, iconSize: [SIZE, SIZE] });
}
