/** Keep the page below the viewer where it is, without its scroll bar. */
import { onBeforeUnmount, onMounted } from "vue";

export function useLockedPage(): void {
  const root = document.documentElement;

  onMounted(() => {
    // The bar's width stays free, or the list would be laid out again, and its photos would move.
    const bar = window.innerWidth - root.clientWidth;
    root.style.overflow = "hidden";
    root.style.scrollbarGutter = "auto";
    document.body.style.paddingRight = `${String(bar)}px`;
  });
  onBeforeUnmount(() => {
    root.style.overflow = "";
    root.style.scrollbarGutter = "";
    document.body.style.paddingRight = "";
  });
}
