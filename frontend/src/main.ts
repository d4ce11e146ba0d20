import { createApp } from "vue";

import { followOtherTabs } from "@/api/session";
import App from "@/App.vue";
import { loadConfig } from "@/config";
import { router } from "@/router";
import "@/styles/tokens.css";
import "@/styles/base.css";

followOtherTabs();
await loadConfig();
createApp(App).use(router).mount("#app");

// After everything that the page itself needs.
if (import.meta.env.PROD) {
  const start = async () => (await import("@/offline")).startOffline();
  if (document.readyState === "complete") void start();
  else window.addEventListener("load", () => void start());
}
