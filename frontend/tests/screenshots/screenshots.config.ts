import { defineConfig } from "@playwright/test";

import { browserPath } from "../support/browser";

/** `make screenshots`: pictures of the demo's album, which runs already, for the README. */
export default defineConfig({
  testDir: ".",
  testMatch: "readme.ts",
  outputDir: "../../test-results/screenshots",
  workers: 1,
  reporter: [["list"]],
  timeout: 60_000,
  expect: { timeout: 20_000 },
  use: {
    baseURL: `http://127.0.0.1:${process.env.PORT ?? "5000"}`,
    locale: "en-US",
    timezoneId: "Europe/Berlin",
    reducedMotion: "reduce",
    launchOptions: { executablePath: await browserPath(), args: ["--no-sandbox"] },
  },
});
