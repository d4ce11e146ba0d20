import type { Page } from "@playwright/test";

import { expect, test } from "./support/album";
import { Library } from "./support/library";

const link = (page: Page, name: string | RegExp) => page.getByRole("link", { name });

/** Open the photos of a library. */
async function openLibrary(page: Page, library: Library): Promise<void> {
  await library.serve(page);
  await page.goto("/#/photos");
  await page.reload();
  await expect(page.getByRole("slider", { name: "Timeline" })).toBeVisible();
}

/** Return the names of the photos in the window. */
const visiblePhotos = (page: Page) =>
  page.locator("main img").evaluateAll((images) =>
    images
      .filter((image) => {
        const { top, bottom } = image.getBoundingClientRect();
        return bottom > 0 && top < innerHeight;
      })
      .map((image) => image.getAttribute("alt")),
  );

const elements = (page: Page) => page.evaluate(() => document.querySelectorAll("*").length);

test("a long list opens with three requests, and only what is near the window is in the document", async ({
  signedIn,
}) => {
  const library = new Library().addMonths(120, 400);
  await openLibrary(signedIn, library);
  await expect(link(signedIn, "IMG_2026-11_0.jpg, November 28, 2026")).toBeVisible();
  expect(library.requests.length).toBeLessThanOrEqual(3);
  expect(await elements(signedIn)).toBeLessThan(2000);
  await expect(link(signedIn, /IMG_2026-11_300/)).toHaveCount(0);
  const width = await signedIn.evaluate(() => document.documentElement.scrollWidth);
  expect(width).toBeLessThanOrEqual(1280);
});

test("rows end at both edges, and photos are in the order of their dates", async ({ signedIn }) => {
  await openLibrary(signedIn, new Library().addMonths(3, 60));
  await expect(link(signedIn, /IMG_2026-11_0/)).toBeVisible();
  const boxes = await signedIn
    .getByRole("main")
    .getByRole("link")
    .evaluateAll((links) =>
      links.map((each) => {
        const { left, right, top, bottom } = each.getBoundingClientRect();
        return { left, right, top, bottom };
      }),
    );
  const tops = [...new Set(boxes.map(({ top }) => top))];
  const rows = tops.map((top) => boxes.filter((box) => box.top === top));
  expect(new Set(rows.map((row) => row[0]?.left)).size).toBe(1);
  const full = rows.slice(0, 4);
  expect(new Set(full.map((row) => row.at(-1)?.right)).size).toBe(1);
  for (const row of full) {
    row.slice(1).forEach(({ left }, index) => {
      expect(left - (row[index]?.right ?? 0)).toBe(4);
    });
  }
});

test("the slider jumps to any month with the keyboard, and says which one it is", async ({
  signedIn,
}) => {
  await openLibrary(signedIn, new Library().addMonths(60, 300));
  const slider = signedIn.getByRole("slider", { name: "Timeline" });
  await expect(slider).toHaveAttribute("aria-valuetext", "November 2026");
  await slider.focus();
  for (const [key, month, photo] of [
    ["PageDown", "November 2025", /IMG_2025-11_0/],
    ["ArrowDown", "October 2025", /IMG_2025-10_0/],
    ["End", "December 2021", /IMG_2021-12_0/],
    ["ArrowUp", "January 2022", /IMG_2022-01_0/],
    ["PageUp", "January 2023", /IMG_2023-01_0/],
    ["Home", "November 2026", /IMG_2026-11_0/],
  ] as const) {
    await signedIn.keyboard.press(key);
    await expect(slider).toHaveAttribute("aria-valuetext", month);
    await expect(link(signedIn, photo)).toBeInViewport({ timeout: 1000 });
    await expect(signedIn.getByRole("heading", { name: month })).toBeInViewport();
  }
});

test("the slider is dragged to a month, which it shows", async ({ signedIn }) => {
  await openLibrary(signedIn, new Library().addMonths(60, 300));
  const slider = signedIn.getByRole("slider", { name: "Timeline" });
  const box = await slider.boundingBox();
  const x = (box?.x ?? 0) + (box?.width ?? 0) / 2;
  await signedIn.mouse.move(x, (box?.y ?? 0) + (box?.height ?? 0) / 2);
  await signedIn.mouse.down();
  for (const y of [200, 300, 430]) await signedIn.mouse.move(x, y);
  const month = await slider.getAttribute("aria-valuetext");
  expect(month).toMatch(/202[45]/);
  await signedIn.mouse.up();
  await expect(signedIn.getByRole("heading", { name: month ?? "" })).toBeInViewport();
  await expect
    .poll(() => visiblePhotos(signedIn), { timeout: 1000 })
    .toContainEqual(expect.stringMatching(/^IMG_202[45]/));
});

test("what is visible does not move while rows above it find their height", async ({
  signedIn,
}) => {
  const library = new Library();
  for (const year of ["2026", "2025", "2024"])
    library.add(`${year}-05`, 200, { width: 300, height: 900 });
  await openLibrary(signedIn, library);
  await signedIn.evaluate(() => {
    const shifts = { sum: 0 };
    Object.assign(window, { shifts });
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) {
        const { value, hadRecentInput } = entry as PerformanceEntry & {
          value: number;
          hadRecentInput: boolean;
        };
        if (!hadRecentInput) shifts.sum += value;
      }
    }).observe({ type: "layout-shift", buffered: true });
  });
  const slider = signedIn.getByRole("slider", { name: "Timeline" });
  await slider.focus();
  await signedIn.keyboard.press("End");
  const first = link(signedIn, /IMG_2024-05_0\.jpg/);
  await expect(first).toBeInViewport();
  library.delay = 300;
  const before = await first.boundingBox();
  await signedIn.mouse.move(600, 400);
  await signedIn.mouse.wheel(0, -200);
  await expect.poll(async () => (await first.boundingBox())?.y).toBe((before?.y ?? 0) + 200);
  // The months above are estimated as much lower than they are.
  await expect(link(signedIn, /IMG_2025-05/).first()).toBeAttached();
  expect((await first.boundingBox())?.y).toBe((before?.y ?? 0) + 200);
  const shifts = await signedIn.evaluate(
    () => (window as unknown as { shifts: { sum: number } }).shifts.sum,
  );
  expect(shifts).toBeLessThanOrEqual(0.05);
});

test("going back and reloading return to the same photos, and a link to the top", async ({
  signedIn,
}) => {
  const main = signedIn.getByRole("navigation", { name: "Main" });
  await openLibrary(signedIn, new Library().addMonths(60, 300));
  await signedIn.getByRole("slider", { name: "Timeline" }).focus();
  await signedIn.keyboard.press("PageDown");
  const photo = link(signedIn, /IMG_2025-11_3\.jpg/);
  await expect(photo).toBeInViewport();
  const y = (await photo.boundingBox())?.y;
  await main.getByRole("link", { name: "Favorites" }).click();
  await expect(signedIn.getByRole("slider")).toHaveCount(0);
  await signedIn.goBack();
  await expect(photo).toBeInViewport();
  expect((await photo.boundingBox())?.y).toBe(y);
  await signedIn.reload();
  await expect(photo).toBeInViewport();
  expect((await photo.boundingBox())?.y).toBe(y);
  await main.getByRole("link", { name: "Trash" }).click();
  await main.getByRole("link", { name: "Photos" }).click();
  await expect(link(signedIn, /IMG_2026-11_0/)).toBeInViewport();
});

test("closing a photo returns to it and focuses it", async ({ signedIn }) => {
  await openLibrary(signedIn, new Library().addMonths(3, 100));
  await link(signedIn, /IMG_2026-11_1\.jpg/).click();
  await expect(signedIn).toHaveURL(/#\/photos\/2026-11-1$/);
  expect(await signedIn.evaluate(() => (history.state as { list: string }).list)).toBe("/photos");
  // The viewer goes on to other photos in the same way.
  await signedIn.evaluate(() => {
    location.replace("#/photos/2026-11-80");
  });
  await expect(signedIn).toHaveURL(/2026-11-80$/);
  await signedIn.goBack();
  await expect(signedIn).toHaveURL(/#\/photos$/);
  const photo = link(signedIn, /IMG_2026-11_80/);
  await expect(photo).toBeInViewport();
  await expect(photo).toBeFocused();
});

test("an image whose URL has expired is loaded with a new one, once", async ({ signedIn }) => {
  const library = new Library().addMonths(1, 20);
  await signedIn.clock.install();
  await signedIn.route("**/icon.svg?*signature=1", (route) => route.fulfill({ status: 403 }));
  await openLibrary(signedIn, library);
  await expect(signedIn.locator("img.broken").first()).toBeAttached();
  // The page was loaded just now: its URLs are not the reason.
  expect(library.requests).toHaveLength(2);
  library.signature = 2;
  await signedIn.clock.fastForward("31:00");
  await signedIn.mouse.wheel(0, 200);
  await expect(signedIn.locator("img.loaded").first()).toBeVisible();
  await expect(signedIn.locator("img.broken")).toHaveCount(0);
  expect(library.requests).toHaveLength(3);
});

test("a range that cannot be loaded says why, and loads when asked again", async ({ signedIn }) => {
  const library = new Library().addMonths(24, 300);
  await openLibrary(signedIn, library);
  let isConnected = false;
  await signedIn.route("**/photos?*", (route) => (isConnected ? route.fallback() : route.abort()));
  await signedIn.getByRole("slider", { name: "Timeline" }).focus();
  await signedIn.keyboard.press("PageDown");
  await expect(signedIn.getByRole("alert")).toContainText("No connection.");
  isConnected = true;
  // A real click would scroll first, which also loads the range.
  const retry = signedIn.getByRole("button", { name: "Try again" });
  await retry.evaluate((button: HTMLElement) => {
    button.click();
  });
  await expect(link(signedIn, /IMG_2025-11_0/)).toBeInViewport();
  await expect(signedIn.getByRole("alert")).toHaveCount(0);
});

test("placeholders have the colors of their photos, and thumbnails fade in at once", async ({
  signedIn,
}) => {
  let send: () => void = () => undefined;
  const sent = new Promise<void>((resolve) => (send = resolve));
  await signedIn.route("**/icon.svg?*", async (route) => {
    await sent;
    await route.continue();
  });
  await openLibrary(signedIn, new Library().addMonths(1, 20));
  const photo = signedIn.locator(".photo").first();
  await expect(photo).toHaveCSS("background-color", /^rgb\(\d+, \d+, \d+\)$/);
  await expect(photo).not.toHaveCSS("background-color", "rgb(228, 228, 231)");
  // A canvas that was painted has the small size of a placeholder.
  await expect
    .poll(() => photo.locator("canvas").evaluate((each: HTMLCanvasElement) => each.width))
    .toBeLessThanOrEqual(32);
  await expect(signedIn.getByRole("progressbar")).toHaveCount(0);
  const image = photo.getByRole("img");
  await expect(image).toHaveCSS("opacity", "0");
  await expect(image).toHaveCSS("transition-duration", "0.15s");
  send();
  await expect(image).toHaveCSS("opacity", "1");
  await expect(photo.locator("canvas")).toHaveCount(0);
  await signedIn.emulateMedia({ reducedMotion: "reduce" });
  await expect(image).toHaveCSS("transition-duration", "0s");
});

test.describe("on a phone", () => {
  test.use({ viewport: { width: 320, height: 640 }, hasTouch: true, isMobile: true });

  test("the slider is a handle at the edge, rows fit, and gaps are 2 pixels", async ({
    signedIn,
  }) => {
    await openLibrary(signedIn, new Library().addMonths(24, 100));
    const handle = signedIn.getByRole("slider", { name: "Timeline" });
    const box = await handle.boundingBox();
    expect((box?.x ?? 0) + (box?.width ?? 0)).toBe(320);
    expect(Math.min(box?.width ?? 0, box?.height ?? 0)).toBeGreaterThanOrEqual(44);
    const width = await signedIn.evaluate(() => document.documentElement.scrollWidth);
    expect(width).toBe(320);
    const touch = await signedIn.context().newCDPSession(signedIn);
    const move = (type: "touchStart" | "touchMove", y: number) =>
      touch.send("Input.dispatchTouchEvent", { type, touchPoints: [{ x: 310, y }] });
    await move("touchStart", (box?.y ?? 0) + 22);
    for (const y of [200, 300, 400]) await move("touchMove", y);
    await touch.send("Input.dispatchTouchEvent", { type: "touchEnd", touchPoints: [] });
    await expect(handle).toHaveAttribute("aria-valuetext", /2025/);
    await expect
      .poll(() => visiblePhotos(signedIn))
      .toContainEqual(expect.stringMatching(/_2025-/));
    const gaps = await signedIn.locator(".photo").evaluateAll((photos) => {
      const [first, second] = photos.map((each) => each.getBoundingClientRect());
      return (second?.left ?? 0) - (first?.right ?? 0);
    });
    expect(gaps).toBe(2);
  });
});
