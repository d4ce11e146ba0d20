/** What the viewer does with the open photo: in its list at once, then in the album. */
import { onBeforeUnmount } from "vue";

import { reportError } from "@/composables/status";
import {
  announceChange,
  deletePermanently,
  moveToTrash,
  restoreFrom,
  setFavorite,
} from "@/photos/actions";
import { pagedSource } from "@/photos/paged";
import type { Photo } from "@/api/types";
import type { Viewer } from "./viewer";

/** Actions on the open photo. `leave` shows another photo, or the list if there is none. */
export function usePhotoActions(viewer: Viewer, leave: (photo: Photo | undefined) => void) {
  const noLongerFavorites = new Set<string>();

  async function toggleFavorite(): Promise<void> {
    const photo = viewer.photo.value;
    if (!photo || photo.trashed_date) return;
    const favorite = !photo.favorite;
    viewer.change({ ...photo, favorite });
    if (favorite) noLongerFavorites.delete(photo.id);
    else noLongerFavorites.add(photo.id);
    try {
      await setFavorite([photo.id], favorite);
    } catch (error) {
      noLongerFavorites.delete(photo.id);
      viewer.change({ ...photo, favorite: !favorite });
      reportError(error);
    }
  }

  /** Take the open photo out of its list, and go on to the one after it. */
  function takeOut(run: typeof moveToTrash): void {
    const photo = viewer.photo.value;
    if (!photo) return;
    const source = viewer.source.value ?? pagedSource("photos", {});
    const isListed = source.positionOf(photo.id) >= 0;
    leave(viewer.next.value ?? viewer.previous.value);
    void run([photo.id], source).then(() => {
      viewer.forget(photo.id);
      // It appears in, or disappears from, a list that it was not opened from.
      if (!isListed) announceChange();
    });
  }

  // In the list of favorites, a photo stays until the viewer is closed, so that it can be undone.
  onBeforeUnmount(() => {
    const source = viewer.source.value;
    if (source?.key === "favorites") source.remove([...noLongerFavorites]);
  });

  return {
    toggleFavorite,
    trash: () => {
      takeOut(moveToTrash);
    },
    restore: () => {
      takeOut(restoreFrom);
    },
    deletePermanently: () => {
      takeOut(deletePermanently);
    },
    async download(): Promise<void> {
      const photo = viewer.photo.value;
      if (!photo) return;
      try {
        const { downloadPhotos } = await import("@/downloads");
        await downloadPhotos([photo]);
      } catch (error) {
        reportError(error);
      }
    },
  };
}
