/** A long press with a finger, which mice and keyboards have other ways for. */

const MILLISECONDS = 450;
/** Pixels that a finger moves without meaning to. */
const TOLERANCE = 10;

export interface LongPress {
  start(event: PointerEvent): void;
  move(event: PointerEvent): void;
  end(): void;
  /** Whether a click or a menu follows from a long press, and must do nothing else. */
  isHandled(): boolean;
}

/** Call `press` with the element that was pressed. */
export function longPress(press: (target: Element) => void): LongPress {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let origin = { x: 0, y: 0 };
  let wasPressed = false;

  return {
    start(event) {
      clearTimeout(timer);
      wasPressed = false;
      if (event.pointerType !== "touch" || !event.isPrimary) return;
      origin = { x: event.clientX, y: event.clientY };
      const target = event.target as Element;
      timer = setTimeout(() => {
        wasPressed = true;
        press(target);
      }, MILLISECONDS);
    },
    move(event) {
      const distance = Math.hypot(event.clientX - origin.x, event.clientY - origin.y);
      if (distance > TOLERANCE) clearTimeout(timer);
    },
    end() {
      clearTimeout(timer);
    },
    isHandled: () => wasPressed,
  };
}
