import { createApp } from "vue";

import App from "@/App.vue";
import { loadConfig } from "@/config";
import { router } from "@/router";
import "@/styles/tokens.css";
import "@/styles/base.css";

await loadConfig();
createApp(App).use(router).mount("#app");
