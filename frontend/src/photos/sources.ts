/** The list that is shown: a viewer opened over it goes through its photos. */
import { onBeforeUnmount, shallowRef, watch } from "vue";

import type { PhotoSource } from "./source";

/** The list on the page, which stays mounted below the viewer; null on pages without one. */
export const shownList = shallowRef<PhotoSource | null>(null);

/** Offer the list of the calling component to the viewer for as long as it is mounted. */
export function showList(source: () => PhotoSource | null): void {
  let own: PhotoSource | null = null;
  watch(source, (current) => (shownList.value = own = current), { immediate: true });
  onBeforeUnmount(() => {
    // The next page's list may be there already.
    if (shownList.value === own) shownList.value = null;
  });
}
