/** Controls that appear on movement and hide after a while, but not from under focus or pointer. */
import { onBeforeUnmount, shallowRef, type Ref } from "vue";

const HIDE_MS = 3_000;
const FOCUSED = ".control:focus-visible, .control :focus-visible";

export function useControls(root: Readonly<Ref<HTMLElement | null>>, isHeld: () => boolean) {
  const areShown = shallowRef(true);
  let timer: ReturnType<typeof setTimeout> | undefined;

  /** Show them; they hide by themselves, unless it was a finger that asked for them. */
  function show(isTouch = false): void {
    areShown.value = true;
    clearTimeout(timer);
    if (!isTouch) timer = setTimeout(hideUnlessUsed, HIDE_MS);
  }

  function hideUnlessUsed(): void {
    const isUsed = root.value?.querySelector(`${FOCUSED}, .control:hover`);
    if (isUsed || isHeld()) show();
    else areShown.value = false;
  }

  /** Hide them at once, as when a photo is zoomed. */
  function hide(): void {
    if (root.value?.querySelector(FOCUSED)) return;
    clearTimeout(timer);
    areShown.value = false;
  }

  onBeforeUnmount(() => {
    clearTimeout(timer);
  });

  return { areShown, show, hide };
}
