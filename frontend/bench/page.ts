/** Measures the web app in Chromium, for bench/page.py: it gets and prints JSON. */
import { chromium, type Page, type Route } from "@playwright/test";

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
    jump: Promise<number>;
  }
}

const SLOWER = 4;
/** Milliseconds of an API call, from a browser near the region, with a warm function. */
const ON_AWS = 150;
const THUMBNAIL = /"thumbSrc":"[^"]*"/g;

/** Runs in the page before anything else. */
function observe(): void {
  const measured = { firstThumbnail: 0, longestTask: 0, layoutShift: 0, mostElements: 0 };
  let session = { first: 0, last: 0, sum: 0 };
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
      if (shift.hadRecentInput) continue;
      // CLS is the worst session: shifts less than a second apart, within five seconds.
      const { startTime, value } = shift;
      const isSame = startTime - session.last < 1000 && startTime - session.first < 5000;
      session = {
        first: isSame ? session.first : startTime,
        last: startTime,
        sum: value + (isSame ? session.sum : 0),
      };
      measured.layoutShift = Math.max(measured.layoutShift, session.sum);
    }
  }).observe({ type: "layout-shift", buffered: true });
  setInterval(() => {
    const count = document.getElementsByTagName("*").length;
    measured.mostElements = Math.max(measured.mostElements, count);
  }, 50);
}

/** Focus the slider, and find out how long its next key takes to show a thumbnail of the month. */
function awaitJump(): void {
  const slider = document.querySelector<HTMLElement>("[role=slider]");
  const isShown = () => {
    const month = slider?.getAttribute("aria-valuetext");
    const section = [...document.querySelectorAll("main section")].find(
      (each) => each.querySelector("h2")?.textContent === month,
    );
    return [...(section?.querySelectorAll("img.loaded") ?? [])].some((image) => {
      const { top, bottom } = image.getBoundingClientRect();
      return bottom > 0 && top < innerHeight;
    });
  };
  slider?.focus();
  window.jump = new Promise((resolve, reject) => {
    const began = (event: KeyboardEvent) => {
      const look = () => {
        const milliseconds = performance.now() - event.timeStamp;
        if (isShown()) resolve(milliseconds);
        else if (milliseconds > 300_000) reject(new Error("No photo of the month appeared."));
        else requestAnimationFrame(look);
      };
      requestAnimationFrame(look);
    };
    slider?.addEventListener("keydown", began, { once: true });
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

/**
 * All photos have one image, since the bucket has it once.
 *
 * The embedded AWS reads all of an account's items for each query, which takes seconds with 50,000.
 * So the responses of a first visit are recorded, and sent in the measured one after the time that
 * they take on AWS.
 */
class Recorder {
  readonly calls: URL[] = [];
  slowest = 0;
  isRecording = true;
  private readonly image: string;
  private readonly responses = new Map<string, { status: number; body: Buffer }>();

  constructor(image: string) {
    this.image = image;
  }

  async attach(page: Page): Promise<void> {
    await page.route(/\/photos(\/timeline|\?)/, async (route) => {
      const url = route.request().url();
      this.calls.push(new URL(url));
      const recorded = this.responses.get(url);
      if (recorded && !this.isRecording) {
        await new Promise((resolve) => setTimeout(resolve, ON_AWS));
        await this.fulfill(route, recorded);
        return;
      }
      const began = performance.now();
      const response = await route.fetch({ timeout: 0 }).catch(() => null);
      if (!response) return; // The page is closed.
      this.slowest = Math.max(this.slowest, performance.now() - began);
      const text = (await response.text()).replaceAll(THUMBNAIL, `"thumbSrc":"${this.image}"`);
      const found = { status: response.status(), body: Buffer.from(text) };
      if (response.ok()) this.responses.set(url, found);
      await this.fulfill(route, found);
    });
  }

  private async fulfill(route: Route, found: { status: number; body: Buffer }): Promise<void> {
    const { status, body } = found;
    // The page may have cancelled the request.
    await route.fulfill({ status, body, contentType: "application/json" }).catch(() => undefined);
  }
}

async function signIn(page: Page, { url, tokens }: Given): Promise<void> {
  const session = { ...tokens, expiresAt: Date.now() + tokens.expiresIn * 1000 };
  await page.goto(`${url}/icon.svg`);
  await page.evaluate((text) => {
    localStorage.setItem("session", text);
  }, JSON.stringify(session));
}

async function open(page: Page, url: string): Promise<void> {
  await page.goto("about:blank");
  await page.goto(url);
  await page.waitForFunction(() => window.measured.firstThumbnail > 0, null, { timeout: 120_000 });
  await page.waitForLoadState("networkidle");
}

async function jumpAll(page: Page): Promise<number[]> {
  const milliseconds: number[] = [];
  for (const key of ["End", "Home", "PageDown", "PageDown", "ArrowDown", "End", "PageUp"]) {
    await page.evaluate(awaitJump);
    await page.keyboard.press(key); // A real key: the layout may change after it.
    milliseconds.push(await page.evaluate(() => window.jump));
    await page.waitForLoadState("networkidle");
  }
  return milliseconds;
}

async function measure(page: Page, given: Given): Promise<object> {
  const recorder = new Recorder(given.image);
  const devTools = await page.context().newCDPSession(page);
  const usedMemory = async () => {
    await devTools.send("HeapProfiler.collectGarbage");
    return (await devTools.send("Runtime.getHeapUsage")).usedSize / 1e6;
  };
  await signIn(page, given);
  await recorder.attach(page);
  await page.addInitScript(observe);

  await open(page, given.url);
  await jumpAll(page);
  recorder.isRecording = false;
  recorder.calls.length = 0;

  await devTools.send("Emulation.setCPUThrottlingRate", { rate: SLOWER });
  await open(page, given.url);
  const apiCalls = recorder.calls.length;
  const jumps = await jumpAll(page);

  const before = await usedMemory();
  await page.evaluate(() => {
    window.measured.longestTask = 0;
    scrollTo(0, 0);
  });
  await scroll(page, given.seconds);
  const measured = await page.evaluate(() => window.measured);
  const addedMemory = (await usedMemory()) - before;
  const slowestJump = Math.max(...jumps);
  return { ...measured, apiCalls, slowestJump, addedMemory, slowestCall: recorder.slowest };
}

async function main(given: Given): Promise<object> {
  const executablePath = await browserPath();
  const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
  try {
    // What passes through a service worker could not be recorded.
    const options = { viewport: { width: 1280, height: 800 }, serviceWorkers: "block" } as const;
    return await measure(await browser.newPage(options), given);
  } finally {
    await browser.close();
  }
}

process.stdout.write(JSON.stringify(await main(JSON.parse(process.argv[2] ?? "{}") as Given)));
