import { fileURLToPath, URL } from "node:url";

import vue from "@vitejs/plugin-vue";
import { defineConfig } from "vitest/config";

import { serviceWorker } from "./vite-plugins/service-worker.ts";

// The album of `make run`, for `make dev-frontend`.
const album = process.env.ALBUM ?? "http://127.0.0.1:5000";
const api = ["/users", "/photos", "/albums", "/shares", "/shared", "/health", "/config.json"];

export default defineConfig({
  plugins: [vue(), serviceWorker(fileURLToPath(new URL("./src/worker/sw.ts", import.meta.url)))],
  resolve: { alias: { "@": fileURLToPath(new URL("./src", import.meta.url)) } },
  build: {
    outDir: "../dist/web",
    emptyOutDir: true,
    target: "es2022",
    // An inlined file would be a data: URL, which the Content-Security-Policy blocks.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: { host: "127.0.0.1", proxy: Object.fromEntries(api.map((path) => [path, album])) },
  test: { include: ["src/**/*.test.ts"] },
});
