/** A photo grows from its place in the list into the viewer, and shrinks back when it is closed. */

const GROW_MS = 200;
const SHRINK_MS = 150;
const EASING = "cubic-bezier(0.2, 0, 0, 1)";

/** Return the image of a photo in the list below the viewer, if it is in the window. */
export function thumbnailOf(id: string): HTMLElement | null {
  const link = document.querySelector(`main a[href$="#/photos/${CSS.escape(id)}"]`);
  const image = link?.querySelector("img");
  if (!image) return null;
  const { top, bottom } = image.getBoundingClientRect();
  return bottom > 0 && top < window.innerHeight ? image : null;
}

/** Return the transform that puts `frame` where `place` is: its center, with its height. */
export function transformTo(place: DOMRect, frame: DOMRect): string {
  const x = place.left + place.width / 2 - (frame.left + frame.width / 2);
  const y = place.top + place.height / 2 - (frame.top + frame.height / 2);
  const scale = frame.height ? place.height / frame.height : 1;
  return `translate(${String(x)}px, ${String(y)}px) scale(${String(scale)})`;
}

/** Let the photo grow out of its thumbnail. */
export function grow(id: string, frame: HTMLElement): void {
  const place = thumbnailOf(id);
  if (!place || isStill()) return;
  const from = transformTo(place.getBoundingClientRect(), frame.getBoundingClientRect());
  frame.animate([{ transform: from }, {}], { duration: GROW_MS, easing: EASING });
}

/** Let the photo shrink into its thumbnail; resolves when it is there. */
export async function shrink(id: string, frame: HTMLElement): Promise<void> {
  const place = thumbnailOf(id);
  if (!place || isStill()) return;
  const to = transformTo(place.getBoundingClientRect(), frame.getBoundingClientRect());
  const timing = { duration: SHRINK_MS, easing: EASING, fill: "forwards" } as const;
  await frame.animate([{}, { transform: to }], timing).finished.catch(() => undefined);
}

function isStill(): boolean {
  return window.matchMedia("(prefers-reduced-motion: reduce)").matches;
}
