/** The links of the navigation `Main`. */
import { Heart, Images, Map, Trash2 } from "@lucide/vue";
import type { Component } from "vue";

import { text } from "@/text/en";

export interface Destination {
  path: string;
  label: string;
  icon: Component;
}

/** On a phone, these are in the bar at the bottom. */
export const first: readonly Destination[] = [
  { path: "/photos", label: text.nav.photos, icon: Images },
  { path: "/favorites", label: text.nav.favorites, icon: Heart },
];

/** On a phone, these are under the button `More`. */
export const more: readonly Destination[] = [
  { path: "/map", label: text.nav.map, icon: Map },
  { path: "/trash", label: text.nav.trash, icon: Trash2 },
];
