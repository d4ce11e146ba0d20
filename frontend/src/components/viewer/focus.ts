/** The viewer takes the focus, and returns it to the list. */
import { nextTick, onBeforeUnmount, onMounted, type Ref } from "vue";

export function useReturnedFocus(
  dialog: Readonly<Ref<HTMLElement | null>>,
  id: () => string,
): void {
  const openedFrom = document.activeElement;

  /** Focus the open photo's link in the list, or what had the focus before. */
  function giveBack(): void {
    const link = document.querySelector(`main a[href$="#/photos/${CSS.escape(id())}"]`);
    const before = openedFrom?.isConnected ? openedFrom : document.querySelector("main");
    const target = link ?? before;
    if (target instanceof HTMLElement) target.focus({ preventScroll: true });
  }

  onMounted(() => dialog.value?.focus({ preventScroll: true }));
  // The list cannot be focused while the viewer is over it.
  onBeforeUnmount(() => void nextTick(giveBack));
}
