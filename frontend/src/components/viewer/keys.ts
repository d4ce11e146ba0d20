/** The viewer's keys, wherever the focus is, except in a field, on a map or in another dialog. */
import { onBeforeUnmount, onMounted } from "vue";

const ELSEWHERE =
  "input, textarea, select, [contenteditable], [role=alertdialog], .leaflet-container";

/** Call the function of a key; all others belong to the browser. */
export function useKeys(keys: Readonly<Record<string, () => void>>): void {
  function press(event: KeyboardEvent): void {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    const target = event.target instanceof Element ? event.target : null;
    // Escape leaves a field's form, too, but never the viewer from within another dialog.
    const places = event.key === "Escape" ? "[role=alertdialog]" : ELSEWHERE;
    if (target?.closest(places) ?? document.querySelector("[role=alertdialog]")) return;
    const run = keys[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!run) return;
    event.preventDefault();
    run();
  }

  onMounted(() => {
    window.addEventListener("keydown", press);
  });
  onBeforeUnmount(() => {
    window.removeEventListener("keydown", press);
  });
}
