import AxeBuilder from "@axe-core/playwright";
import type { Page } from "@playwright/test";

import { expect, openAccountMenu, test } from "./support/album";

const sizes = [
  { width: 320, height: 640 },
  { width: 390, height: 844 },
  { width: 1280, height: 800 },
];

async function expectNoViolations(page: Page, path: string): Promise<void> {
  await page.goto(`/#/${path}`);
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    for (const size of sizes) {
      await page.setViewportSize(size);
      await expect(page.getByRole("heading").first()).toBeAttached();
      expect(await violations(page), `${colorScheme}, ${String(size.width)}`).toEqual([]);
    }
  }
}

async function violations(page: Page): Promise<string[]> {
  const found = await new AxeBuilder({ page }).options({ resultTypes: ["violations"] }).analyze();
  return found.violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join()}`);
}

for (const path of ["signin", "signup", "forgot"]) {
  test(`axe finds nothing on #/${path}, light and dark, on any screen`, async ({ page }) => {
    test.slow();
    await expectNoViolations(page, path);
  });
}

for (const path of ["photos", "favorites", "search", "trash", "settings", "unknown"]) {
  test(`axe finds nothing on #/${path}, light and dark, on any screen`, async ({ signedIn }) => {
    test.slow();
    await expectNoViolations(signedIn, path);
  });
}

test("axe finds nothing in a form with errors", async ({ page }) => {
  await page.goto("/#/signup");
  await page.getByRole("button", { name: "Create account" }).click();
  await expect(page.getByText("Name is required.")).toBeVisible();
  expect(await violations(page)).toEqual([]);
});

test("axe finds nothing in the menu and in a dialog", async ({ signedIn }) => {
  await openAccountMenu(signedIn);
  expect(await violations(signedIn)).toEqual([]);
  await signedIn.getByRole("menuitem", { name: "Settings" }).click();
  await signedIn.getByRole("button", { name: "Delete account" }).click();
  await expect(signedIn.getByRole("alertdialog")).toBeVisible();
  expect(await violations(signedIn)).toEqual([]);
});
