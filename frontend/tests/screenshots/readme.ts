/** The README's screenshots, by the names that a user sees. */
import { mkdirSync, readdirSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { expect, test, type Page } from "@playwright/test";

import { signIn } from "../support/album";

const FOLDER = fileURLToPath(new URL("../../../docs/screenshots/", import.meta.url));
const LARGEST_SUM = 600_000; // bytes
const QUALITY = 80;
// infra/demo/__main__.py has the account.
const DEMO = { name: "Demo", email: "demo@example.com", password: "Demo-Album-2026" };
const DESKTOP = { width: 1280, height: 800 };
const PHONE = { width: 390, height: 844 };

test.beforeAll(() => mkdirSync(FOLDER, { recursive: true }));

test.beforeEach(async ({ page }) => {
  await page.goto("/#/signin");
  await signIn(page, DEMO);
  await imagesAreLoaded(page);
});

test.describe("on a desktop", () => {
  test.use({ viewport: DESKTOP, colorScheme: "light" });

  test("the photos", ({ page }) => take(page, "photos"));

  test("the map", async ({ page }) => {
    await page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: "Map" }).click();
    await expect(page).toHaveURL(/#\/map/);
    await imagesAreLoaded(page);
    const inView = page.getByRole("region", { name: "In view" });
    await expect(inView.getByRole("img").first()).toBeVisible();
    await expect(page.getByText("Loading your photos")).toHaveCount(0);
    await take(page, "map");
  });
});

test.describe("on a desktop, in the dark", () => {
  test.use({ viewport: DESKTOP, colorScheme: "dark" });

  test("the photos", ({ page }) => take(page, "photos-dark"));

  test("the viewer with a photo's information", async ({ page }) => {
    await page.goto("/#/search?q=lake");
    await imagesAreLoaded(page);
    await page
      .getByRole("main")
      .getByRole("link")
      .filter({ has: page.getByRole("img") })
      .first()
      .click();
    const dialog = page.getByRole("dialog", { name: "Photo" });
    await expect(dialog).toBeVisible();
    await page.mouse.move(DESKTOP.width / 2, DESKTOP.height / 2);
    await dialog.getByRole("button", { name: "Info" }).click();
    await imagesAreLoaded(page);
    await take(page, "viewer");
  });
});

test.describe("on a phone", () => {
  test.use({ viewport: PHONE, hasTouch: true, isMobile: true, deviceScaleFactor: 1.5 });

  test("the photos", ({ page }) => take(page, "phone"));
});

test.afterAll(() => {
  const sizes = readdirSync(FOLDER).map((name) => statSync(FOLDER + name).size);
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(LARGEST_SUM);
});

async function take(page: Page, name: string): Promise<void> {
  const path = `${FOLDER}${name}.jpg`;
  await page.mouse.move(0, 0); // Nothing is hovered.
  await page.screenshot({ path, type: "jpeg", quality: QUALITY, animations: "disabled" });
}

/** Wait until every image that can be seen is there. */
async function imagesAreLoaded(page: Page): Promise<void> {
  await expect(page.getByRole("img").first()).toBeVisible();
  await page.waitForLoadState("networkidle");
  await page.waitForFunction(() =>
    [...document.images]
      .filter((image) => {
        const { top, bottom } = image.getBoundingClientRect();
        return bottom > 0 && top < innerHeight;
      })
      .every((image) => image.complete && image.naturalWidth > 0),
  );
}
