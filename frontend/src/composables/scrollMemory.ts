/** Where people were in each list, for reloads and for going back. */
import { shallowRef } from "vue";

/** A place in a list, which stays valid when photos are added or the window is resized. */
export interface Place {
  month: string;
  /** Of the photo in its month. */
  index: number;
  /** Of the photo in the list. */
  position: number;
  /** Its ID, if it was loaded. */
  id: string | null;
  /** Pixels from the top of its row to the top of what is visible. */
  offset: number;
}

/** Whether this page was shown before, and people went back or reloaded it. The router sets it. */
export const isReturning = shallowRef(false);

const PREFIX = "place:";

export function rememberPlace(key: string, place: Place): void {
  try {
    sessionStorage.setItem(PREFIX + key, JSON.stringify(place));
  } catch {
    // Storage may be blocked or full; the list then begins at the top.
  }
}

export function forgetPlace(key: string): void {
  try {
    sessionStorage.removeItem(PREFIX + key);
  } catch {
    // Nothing was stored.
  }
}

/** Return where people were in a list, if they are coming back to it. */
export function recallPlace(key: string): Place | null {
  if (!isReturning.value) return null;
  try {
    return JSON.parse(sessionStorage.getItem(PREFIX + key) ?? "null") as Place | null;
  } catch {
    return null;
  }
}
