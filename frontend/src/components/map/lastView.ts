import { shallowRef } from "vue";

/** What the map showed last: Back and a closed viewer return to it. */
export const lastView = shallowRef<{ center: { lat: number; lng: number }; zoom: number } | null>(
  null,
);
