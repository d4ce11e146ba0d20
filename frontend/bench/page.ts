/** Measures the web app in Chromium, for bench/page.py: it gets and prints JSON. */
import { chromium, type Page } from "@playwright/test";

import { browserPath } from "../tests/support/browser.ts";

interface Given {
  url: string;
  tokens: { accessToken: string; refreshToken: string; expiresIn: number };
  /** The URL of the image behind all photos. */
  image: string;
  seconds: number;
}

interface Measured {
  firstThumbnail: number;
  longestTask: number;
  layoutShift: number;
  mostElements: number;
}

declare global {
  // What the page itself records from its first moment.
  interface Window {
    measured: Measured;
  }
}

const SLOWER = 4;

/** Runs in the page before anything else. */
function observe(): void {
  const measured = { firstThumbnail: 0, longestTask: 0, layoutShift: 0, mostElements: 0 };
  window.measured = measured;
  document.addEventListener(
    "load",
    ({ target }) => {
      const isThumbnail = target instanceof HTMLImageElement && target.src.includes("thumbnails");
      if (isThumbnail) measured.firstThumbnail ||= performance.now();
    },
    true,
  );
  new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) {
      measured.longestTask = Math.max(measured.longestTask, duration);
    }
  }).observe({ type: "longtask" });
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      const shift = entry as PerformanceEntry & { value: number; hadRecentInput: boolean };
      if (!shift.hadRecentInput) measured.layoutShift += shift.value;
    }
  }).observe({ type: "layout-shift", buffered: true });
  setInterval(() => {
    const count = document.getElementsByTagName("*").length;
    measured.mostElements = Math.max(measured.mostElements, count);
  }, 50);
}

/** Press a key of the slider, and return the milliseconds until a thumbnail of the month shows. */
function jump(key: string): Promise<number> {
  const slider = document.querySelector<HTMLElement>("[role=slider]");
  slider?.focus();
  const began = performance.now();
  slider?.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
  return new Promise((resolve) => {
    const look = () => {
      const month = slider?.getAttribute("aria-valuetext");
      const section = [...document.querySelectorAll("main section")].find(
        (each) => each.querySelector("h2")?.textContent === month,
      );
      const isShown = [...(section?.querySelectorAll("img.loaded") ?? [])].some((image) => {
        const { top, bottom } = image.getBoundingClientRect();
        return bottom > 0 && top < innerHeight;
      });
      if (isShown) resolve(performance.now() - began);
      else requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
  });
}

async function scroll(page: Page, seconds: number): Promise<void> {
  await page.mouse.move(600, 400);
  const end = Date.now() + seconds * 1000;
  for (let step = 0; Date.now() < end; step++) {
    // Mostly as people do; now and then with momentum.
    await page.mouse.wheel(0, step % 40 < 30 ? 300 : 2500);
    await page.waitForTimeout(80);
  }
}

async function main(given: Given): Promise<object> {
  const browser = await chromium.launch({
    executablePath: await browserPath(),
    args: ["--no-sandbox"],
  });
  try {
    const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
    const devTools = await page.context().newCDPSession(page);
    const heap = async () => {
      await devTools.send("HeapProfiler.collectGarbage");
      const { usedSize } = await devTools.send("Runtime.getHeapUsage");
      return usedSize / 1e6;
    };
    const calls: number[] = [];
    page.on("requestfinished", (request) => {
      const { origin, pathname } = new URL(request.url());
      const isCall = origin === new URL(given.url).origin && /^\/(photos|users)/.test(pathname);
      if (isCall) calls.push(request.timing().responseEnd);
    });
    // All photos have one image: the bucket has it once.
    const image = await page.request.get(given.image);
    const body = await image.body();
    await page.route(/\/thumbnails\//, (route) =>
      route.fulfill({
        body,
        contentType: "image/jpeg",
        headers: { "Access-Control-Allow-Origin": "*" },
      }),
    );
    const session = { ...given.tokens, expiresAt: Date.now() + given.tokens.expiresIn * 1000 };
    await page.goto(`${given.url}/icon.svg`);
    await page.evaluate((text) => {
      localStorage.setItem("session", text);
    }, JSON.stringify(session));
    await page.addInitScript(observe);
    await devTools.send("Emulation.setCPUThrottlingRate", { rate: SLOWER });

    await page.goto(given.url);
    await page.waitForFunction(() => window.measured.firstThumbnail > 0);
    await page.waitForLoadState("networkidle");
    const apiCalls = calls.length;
    const slowestCall = Math.max(...calls);

    const before = await heap();
    await page.evaluate(() => {
      window.measured.longestTask = 0;
    });
    await scroll(page, given.seconds);
    const { longestTask } = await page.evaluate(() => window.measured);
    await page.waitForLoadState("networkidle");
    const addedMemory = (await heap()) - before;

    const jumps: number[] = [];
    for (const key of ["End", "Home", "PageDown", "PageDown", "ArrowDown", "End", "PageUp"]) {
      jumps.push(await page.evaluate(jump, key));
    }
    const measured = await page.evaluate(() => window.measured);
    return {
      ...measured,
      longestTask,
      apiCalls,
      slowestCall,
      slowestJump: Math.max(...jumps),
      addedMemory,
    };
  } finally {
    await browser.close();
  }
}

process.stdout.write(JSON.stringify(await main(JSON.parse(process.argv[2] ?? "{}") as Given)));
