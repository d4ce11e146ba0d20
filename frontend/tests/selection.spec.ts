import type { Page } from "@playwright/test";

import { expect, test } from "./support/album";
import { Library } from "./support/library";

interface Batch {
  ids: string[];
  action: string;
}

const toolbar = (page: Page) => page.getByRole("toolbar", { name: "Selection" });
const boxOf = (page: Page, number: number) =>
  page.getByRole("checkbox", { name: "Select" }).nth(number);

/** Open photos, and return the batches that are sent. */
async function openPhotos(page: Page, library = new Library().addMonths(2, 40)): Promise<Batch[]> {
  const batches: Batch[] = [];
  const all = library.photos;
  await library.serve(page);
  await page.route("**/photos/batch", async (route) => {
    const batch = route.request().postDataJSON() as Batch;
    batches.push(batch);
    if (batch.action === "trash") library.remove(batch.ids);
    if (batch.action === "restore") library.photos = all;
    await route.fulfill({ json: { ok: true, done: batch.ids, failed: [], remaining: [] } });
  });
  await page.goto("/#/photos");
  await page.reload();
  await expect(boxOf(page, 0)).toBeVisible();
  return batches;
}

test("photos are selected with a checkbox, a range with Shift, and Escape ends it", async ({
  signedIn,
}) => {
  await openPhotos(signedIn);
  await boxOf(signedIn, 2).click();
  await expect(toolbar(signedIn)).toContainText("1 selected");
  await boxOf(signedIn, 6).click({ modifiers: ["Shift"] });
  await expect(toolbar(signedIn)).toContainText("5 selected");
  await boxOf(signedIn, 4).click();
  await expect(toolbar(signedIn)).toContainText("4 selected");
  await expect(boxOf(signedIn, 4)).not.toBeChecked();
  await expect(boxOf(signedIn, 5)).toBeChecked();
  // While photos are selected, a click on another one selects it, too.
  await signedIn.getByRole("link", { name: /IMG_2026-11_0/ }).click();
  await expect(toolbar(signedIn)).toContainText("5 selected");
  await signedIn.keyboard.press("Escape");
  await expect(toolbar(signedIn)).toHaveCount(0);
  await expect(boxOf(signedIn, 5)).not.toBeChecked();
});

test("everything is done with the keyboard alone", async ({ signedIn }) => {
  const batches = await openPhotos(signedIn);
  await signedIn.getByRole("link", { name: /IMG_2026-11_0/ }).focus();
  await signedIn.keyboard.press("Tab");
  await expect(boxOf(signedIn, 0)).toBeFocused();
  await signedIn.keyboard.press("Space");
  await expect(toolbar(signedIn)).toContainText("1 selected");
  await toolbar(signedIn).getByRole("button", { name: "Clear selection" }).focus();
  await signedIn.keyboard.press("Enter");
  const photo = signedIn.getByRole("link", { name: /IMG_2026-11_0/ });
  await expect(photo).toBeFocused();
  const ring = await photo.evaluate((each) => getComputedStyle(each, "::after").boxShadow);
  expect(ring).toContain("rgb(36, 86, 214) 0px 0px 0px 3px inset");
  await signedIn.keyboard.press("Tab");
  await signedIn.keyboard.press("Space");
  await toolbar(signedIn).getByRole("button", { name: "Clear selection" }).focus();
  await signedIn.keyboard.press("ArrowRight");
  await expect(toolbar(signedIn).getByRole("button", { name: "Favorite" })).toBeFocused();
  await signedIn.keyboard.press("Enter");
  await expect(signedIn.getByRole("status").last()).toContainText(
    "Added 1 photo to your favorites.",
  );
  expect(batches).toEqual([{ ids: ["2026-11-0"], action: "favorite" }]);
});

test("selected photos move to the trash at once, and Undo brings them back", async ({
  signedIn,
}) => {
  const batches = await openPhotos(signedIn);
  await boxOf(signedIn, 0).click();
  await boxOf(signedIn, 1).click();
  await toolbar(signedIn).getByRole("button", { name: "Move to trash" }).click();
  await expect(toolbar(signedIn)).toHaveCount(0);
  await expect(signedIn.getByRole("link", { name: /IMG_2026-11_0/ })).toHaveCount(0);
  await expect(signedIn.getByText("Moved 2 photos to the trash.")).toBeVisible();
  await signedIn.getByRole("button", { name: "Undo" }).click();
  await expect(signedIn.getByRole("link", { name: /IMG_2026-11_0/ })).toBeVisible();
  const ids = ["2026-11-0", "2026-11-1"];
  expect(batches).toEqual([
    { ids, action: "trash" },
    { ids, action: "restore" },
  ]);
});

test.describe("on a phone", () => {
  test.use({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });

  test("a long press selects a photo, and a tap then selects more", async ({ signedIn }) => {
    await openPhotos(signedIn);
    const photo = signedIn.getByRole("link", { name: /IMG_2026-11_1\.jpg/ });
    const box = await photo.boundingBox();
    const point = { x: (box?.x ?? 0) + 40, y: (box?.y ?? 0) + 60 };
    const touch = await signedIn.context().newCDPSession(signedIn);
    await touch.send("Input.dispatchTouchEvent", { type: "touchStart", touchPoints: [point] });
    await expect(toolbar(signedIn)).toContainText("1 selected");
    await touch.send("Input.dispatchTouchEvent", { type: "touchEnd", touchPoints: [] });
    await expect(signedIn).toHaveURL(/#\/photos$/);
    await signedIn.getByRole("link", { name: /IMG_2026-11_2\.jpg/ }).tap();
    await expect(toolbar(signedIn)).toContainText("2 selected");
    for (const button of await toolbar(signedIn).getByRole("button").all()) {
      const size = await button.boundingBox();
      expect(Math.min(size?.width ?? 0, size?.height ?? 0)).toBeGreaterThanOrEqual(44);
    }
  });
});
