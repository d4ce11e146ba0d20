/** Prints Lighthouse's scores of the web app that ALBUM serves, and fails if one is too low. */
import { chromium } from "@playwright/test";
import lighthouse from "lighthouse";

const ALBUM = process.env.ALBUM ?? "http://127.0.0.1:5000";
const DEBUGGING_PORT = Number(process.env.DEBUGGING_PORT ?? 9222);
const REQUIRED = { performance: 95, accessibility: 100, "best-practices": 100 };
const LARGEST_SHIFT = 0.05;
const PHOTOS = 24;

const installed = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
const { existsSync } = await import("node:fs");
const executablePath = process.env.CHROMIUM ?? installed.find((path) => existsSync(path));
if (!executablePath) throw new Error("Chromium is missing. Install it, or set CHROMIUM.");

const context = await chromium.launchPersistentContext("", {
  executablePath,
  args: ["--no-sandbox", `--remote-debugging-port=${DEBUGGING_PORT}`],
});
let passed = true;
try {
  passed = (await measure("sign-in page", "/#/signin")) && passed;
  await signIn();
  passed = (await measure("photo list", "/#/photos")) && passed;
} finally {
  await context.close();
}
process.exitCode = passed ? 0 : 1;

/** Measure a first visit: without a service worker, and nothing in caches. */
async function measure(name, path) {
  await forgetVisits();
  const result = await lighthouse(ALBUM + path, {
    port: DEBUGGING_PORT,
    logLevel: "error",
    onlyCategories: Object.keys(REQUIRED),
    disableStorageReset: true, // The session is in local storage.
  });
  const { categories, audits, configSettings } = result.lhr;
  const shift = audits["cumulative-layout-shift"].numericValue;
  const scores = Object.entries(REQUIRED).map(([id, required]) => {
    const score = Math.round(categories[id].score * 100);
    return { id, score, required };
  });
  console.log(`${name} (${configSettings.formFactor})`);
  for (const { id, score, required } of scores) {
    console.log(`  ${id.padEnd(16)} ${String(score).padStart(3)}   at least ${required}`);
  }
  console.log(`  layout shift     ${shift.toFixed(3)} at most ${LARGEST_SHIFT}`);
  for (const id of ["first-contentful-paint", "largest-contentful-paint", "total-blocking-time"]) {
    console.log(`  ${id.padEnd(24)} ${audits[id].displayValue}`);
  }
  for (const { id, title, score, scoreDisplayMode } of Object.values(audits)) {
    if (score !== null && score < 0.9 && scoreDisplayMode !== "informative") {
      console.log(`  costs points: ${id} (${title})`);
    }
  }
  return scores.every(({ score, required }) => score >= required) && shift <= LARGEST_SHIFT;
}

async function forgetVisits() {
  const page = await context.newPage();
  await page.goto(`${ALBUM}/icon.svg`);
  await page.evaluate(async () => {
    for (const registration of await navigator.serviceWorker.getRegistrations()) {
      await registration.unregister();
    }
    for (const name of await caches.keys()) await caches.delete(name);
  });
  const session = await context.newCDPSession(page);
  await session.send("Network.clearBrowserCache");
  await page.close();
}

/** Create an account with a few photos, and sign in to it. */
async function signIn() {
  const page = await context.newPage();
  await page.goto(`${ALBUM}/icon.svg`);
  await page.evaluate(async (count) => {
    const email = `lighthouse-${Date.now()}@example.com`;
    const password = "Secret-2026";
    const post = async (path, body) => {
      const headers = { "Content-Type": "application/json" };
      const response = await fetch(path, { method: "POST", headers, body: JSON.stringify(body) });
      return response.json();
    };
    await post("/users/signup", { email, password, username: "Mario" });
    const { expiresIn, ...tokens } = await post("/users/signin", { email, password });
    for (let number = 0; number < count; number++) {
      const canvas = new OffscreenCanvas(1200, number % 3 ? 800 : 1600);
      const drawing = canvas.getContext("2d");
      const sky = drawing.createLinearGradient(0, 0, 0, canvas.height);
      sky.addColorStop(0, `hsl(${number * 15} 70% 40%)`);
      sky.addColorStop(1, `hsl(${number * 15 + 60} 70% 75%)`);
      drawing.fillStyle = sky;
      drawing.fillRect(0, 0, canvas.width, canvas.height);
      const form = new FormData();
      form.append("file", await canvas.convertToBlob({ type: "image/jpeg" }), `${number}.jpg`);
      const headers = { Authorization: `Bearer ${tokens.accessToken}` };
      await fetch("/photos/file", { method: "POST", headers, body: form });
    }
    const session = { ...tokens, expiresAt: Date.now() + expiresIn * 1000 };
    localStorage.setItem("session", JSON.stringify(session));
  }, PHOTOS);
  await page.close();
}
