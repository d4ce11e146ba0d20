/** Moving between photos, and back to the list. Photos replace each other in the history. */
import { useRouter } from "vue-router";

import type { Photo } from "@/api/types";

interface HistoryState {
  back?: string | null;
  list?: string;
}

export function useViewerNavigation() {
  const router = useRouter();
  const state = () => history.state as HistoryState;

  /** Show another photo of the list; return whether it is shown. */
  async function show(photo: Photo): Promise<boolean> {
    const { list } = state();
    const failure = await router.replace({
      path: `/photos/${photo.id}`,
      ...(list && { state: { list } }),
    });
    return !failure;
  }

  /** Return to the list, without leaving the viewer in the history for Back. */
  async function close(): Promise<void> {
    const { back, list } = state();
    // A typed address has no list, and the `back` of the address before it.
    if (list && back === list) router.back();
    else await router.replace(list ?? "/photos");
  }

  return { show, close };
}
