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
