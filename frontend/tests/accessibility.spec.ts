import AxeBuilder from "@axe-core/playwright";
import type { Page } from "@playwright/test";

import { expect, openAccountMenu, test, uploadPhoto } from "./support/album";

const sizes = [
  { width: 320, height: 640 },
  { width: 390, height: 844 },
  { width: 1280, height: 800 },
];

interface View {
  /** The path; `ID` is that of a photo. */
  path: string;
  isPublic?: boolean;
  /** Brings the page into the state to check. */
  prepare?: (page: Page) => Promise<unknown>;
  title?: string;
}

/** Add a view, or a state of one, as a line. */
const views: readonly View[] = [
  { path: "signin", isPublic: true },
  { path: "signup", isPublic: true },
  { path: "forgot", isPublic: true },
  { path: "unknown" },
  { path: "photos" },
  { path: "photos", title: "a selection", prepare: selectFirst },
  { path: "photos/ID" },
  { path: "favorites" },
  { path: "search?q=red" },
  { path: "map" },
  { path: "trash" },
  { path: "settings" },
];

async function selectFirst(page: Page): Promise<void> {
  await page.getByRole("checkbox", { name: "Select" }).first().check();
  await expect(page.getByRole("toolbar", { name: "Selection" })).toBeVisible();
}

async function expectNoViolations(page: Page, { path, prepare }: View, id = ""): Promise<void> {
  await page.goto(`/#/${path.replace("ID", id)}`);
  // Behind the viewer, nothing can be reached.
  const opened = page.getByRole("heading").or(page.getByRole("dialog")).first();
  await expect(opened).toBeAttached();
  await prepare?.(page);
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    for (const size of sizes) {
      await page.setViewportSize(size);
      expect(await violations(page), `${colorScheme}, ${String(size.width)}`).toEqual([]);
    }
  }
}

async function violations(page: Page): Promise<string[]> {
  const found = await new AxeBuilder({ page }).options({ resultTypes: ["violations"] }).analyze();
  return found.violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join()}`);
}

for (const view of views.filter(({ isPublic }) => isPublic)) {
  test(`axe finds nothing on #/${view.path}, light and dark, on any screen`, async ({ page }) => {
    test.slow();
    await expectNoViolations(page, view);
  });
}

for (const view of views.filter(({ isPublic }) => !isPublic)) {
  const title = `#/${view.path}${view.title ? ` with ${view.title}` : ""}`;
  test(`axe finds nothing on ${title}, light and dark, on any screen`, async ({
    signedIn,
    account,
    request,
  }) => {
    test.slow();
    const metadata = { desc: "A red car", taken_date: "2026-03-01T12:00:00" };
    const id = await uploadPhoto(request, account, metadata);
    await signedIn.reload(); // The list was read before the upload.
    await expectNoViolations(signedIn, view, id);
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

test("axe finds nothing in the notice of being offline and a message with Undo", async ({
  signedIn,
  account,
  request,
  context,
}) => {
  await uploadPhoto(request, account, { desc: "A red car" });
  await signedIn.reload();
  await selectFirst(signedIn);
  await signedIn
    .getByRole("toolbar", { name: "Selection" })
    .getByRole("button", { name: "Move to trash" })
    .click();
  await expect(signedIn.getByRole("button", { name: "Undo" })).toBeVisible();
  await context.setOffline(true);
  await expect(signedIn.getByText("You are offline.")).toBeVisible();
  expect(await violations(signedIn)).toEqual([]);
});
