/** What protects uploads from the device and from their owner: a lit screen, and a question. */

/** Keep the screen on while `isBusy`; return a function to call whenever that may have changed. */
export function createWakeLock(isBusy: () => boolean): () => void {
  let lock: WakeLockSentinel | null = null;
  let isAsking = false;

  async function update(): Promise<void> {
    const wanted = isBusy() && document.visibilityState === "visible";
    if (!wanted) {
      const held = lock;
      lock = null;
      await held?.release();
    } else if (!lock && !isAsking && "wakeLock" in navigator) {
      isAsking = true;
      try {
        lock = await navigator.wakeLock.request("screen");
        // The browser releases it when the tab is hidden.
        lock.addEventListener("release", () => (lock = null), { once: true });
      } catch {
        // A low battery; uploads continue when the screen is on again.
      } finally {
        isAsking = false;
      }
    }
  }

  document.addEventListener("visibilitychange", () => void update());
  return () => void update();
}

/** Have the browser ask before the page is left, but only while that would lose files. */
export function warnBeforeLoss(wouldLose: () => boolean): () => void {
  const warn = (event: BeforeUnloadEvent) => {
    if (wouldLose()) event.preventDefault();
  };
  // While it is registered, some browsers keep the page out of their cache for Back and Forward.
  let isRegistered = false;
  return () => {
    const isNeeded = wouldLose();
    if (isNeeded === isRegistered) return;
    isRegistered = isNeeded;
    if (isNeeded) addEventListener("beforeunload", warn);
    else removeEventListener("beforeunload", warn);
  };
}
