/** The notice about positions that Android erased. It appears once in the life of a browser. */
const KEY = "positionNotice";

/** Only Android erases positions; some cameras write the same zeros when they have no signal. */
export function isPositionNoticeDue(): boolean {
  try {
    return /android/i.test(navigator.userAgent) && localStorage.getItem(KEY) === null;
  } catch {
    return false;
  }
}

export function dismissPositionNotice(): void {
  try {
    localStorage.setItem(KEY, "seen");
  } catch {
    // Without storage, the notice may appear again.
  }
}
