import { defineConfig } from "@playwright/test";

import { browserPath } from "./tests/support/browser";

const port = Number(process.env.TEST_PORT ?? 5081);

export default defineConfig({
  testDir: "tests",
  testIgnore: "**/chromium/**",
  outputDir: "test-results",
  fullyParallel: true,
  workers: 2,
  // What takes minutes runs with FULL=1 only.
  ...(process.env.FULL ? {} : { grepInvert: /@full/ }),
  // A busy machine can exceed a time limit once; the report names each test that was repeated.
  retries: process.env.CI ? 1 : 0,
  forbidOnly: !!process.env.CI,
  reporter: [["list"]],
  timeout: 60_000,
  expect: { timeout: 10_000 },
  use: {
    baseURL: `http://127.0.0.1:${String(port)}`,
    viewport: { width: 1280, height: 800 },
    locale: "en-US",
    // Tests route requests, which those of a service worker escape. Its own tests allow it.
    serviceWorkers: "block",
    launchOptions: { executablePath: await browserPath(), args: ["--no-sandbox"] },
    // Traces take a third of the time: TRACE=1 records them.
    trace: process.env.TRACE ? "retain-on-failure" : "off",
    screenshot: "only-on-failure",
  },
  // An album of its own, with its accounts and photos in dist/test-album.
  webServer: {
    command:
      `.venv/bin/python -m infra.local --port ${String(port)} --aws-port ${String(port + 1)} ` +
      "--state dist/test-album",
    cwd: "..",
    url: `http://127.0.0.1:${String(port)}/health`,
    // In CI, whatever runs there is not the album of this commit.
    reuseExistingServer: !process.env.CI,
    gracefulShutdown: { signal: "SIGTERM", timeout: 30_000 },
    timeout: 180_000,
  },
});
