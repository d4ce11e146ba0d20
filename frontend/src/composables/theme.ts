/** The choice between dark and light; public/theme.js applies it, before the first paint. */
import { shallowRef, watch } from "vue";

export type Theme = "system" | "light" | "dark";

const KEY = "theme";

export const theme = shallowRef<Theme>(read());

watch(theme, (chosen) => {
  try {
    if (chosen === "system") localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, chosen);
  } catch {
    return; // Without storage, the page follows the system.
  }
  window.dispatchEvent(new Event("themechange"));
});

function read(): Theme {
  try {
    const chosen = localStorage.getItem(KEY);
    return chosen === "light" || chosen === "dark" ? chosen : "system";
  } catch {
    return "system";
  }
}
