import AxeBuilder from "@axe-core/playwright";
import type { Page } from "@playwright/test";

import { expect, signIn, test, uploadPhoto } from "./support/album";

async function expectNoViolations(page: Page): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map((n) => n.html).join()}`);
  expect(found, JSON.stringify(page.viewportSize())).toEqual([]);
}

for (const colorScheme of ["light", "dark"] as const) {
  test(`axe finds nothing in the viewer, its panels and the map: ${colorScheme}`, async ({
    page,
    account,
    request,
  }) => {
    test.slow();
    const position = { geotag_lat: "38.7", geotag_lng: "-9.1" };
    const id = await uploadPhoto(request, account, { desc: "A lake", tags: "sea", ...position });
    await uploadPhoto(request, account, { desc: "A hill", tags: "sun", ...position });
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    await page.goto(`/#/photos/${id}`);
    await signIn(page, account);
    const dialog = page.getByRole("dialog", { name: "Photo" });
    for (const width of [320, 1280]) {
      await page.setViewportSize({ width, height: 800 });
      await expect(dialog.getByRole("img", { name: "A lake" })).toBeVisible();
      await expectNoViolations(page);
      await page.keyboard.press("i");
      await expect(dialog.getByRole("img", { name: /° N/ })).toBeVisible();
      await expectNoViolations(page);
      await dialog.getByRole("button", { name: "Edit", exact: true }).click();
      await dialog.getByRole("textbox", { name: "Date taken" }).fill("never");
      await page.keyboard.press("Enter");
      await dialog.getByRole("textbox", { name: "Tags" }).fill("");
      await expect(dialog.getByRole("button", { name: "Add sun" })).toBeVisible();
      await expectNoViolations(page);
      await dialog.getByRole("button", { name: "Cancel" }).click();
      await page.keyboard.press("i");
    }
    await page.goto("/#/map");
    for (const width of [320, 1280]) {
      await page.setViewportSize({ width, height: 800 });
      await expect(page.getByRole("region", { name: "In view" })).toContainText("2 photos");
      await expect(page.locator(".map-land")).toBeAttached();
      await expectNoViolations(page);
    }
  });
}
