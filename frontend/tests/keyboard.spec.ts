import type { Locator, Page } from "@playwright/test";

import { expect, test, uploadPhoto } from "./support/album";

/** Press Tab until an element has the focus, as people without a mouse do. */
async function tabTo(page: Page, target: Locator): Promise<void> {
  await expect(target.first()).toBeAttached();
  for (let presses = 0; presses < 60; presses++) {
    if (await target.first().evaluate((element) => element === document.activeElement)) {
      const outline = await page.evaluate(
        () => document.activeElement && getComputedStyle(document.activeElement).outlineStyle,
      );
      expect(outline, "the focus is visible").not.toBe("none");
      return;
    }
    await page.keyboard.press("Tab");
  }
  throw new Error(`Tab never reached ${String(target)}`);
}

async function press(page: Page, target: Locator, key = "Enter"): Promise<void> {
  await tabTo(page, target);
  await page.keyboard.press(key);
}

test("with the keyboard alone: sign in, select a photo, trash and restore it, save a name, sign out", async ({
  page,
  account,
  request,
}) => {
  await uploadPhoto(request, account, { desc: "A red car", taken_date: "2026-03-01T12:00:00" });
  await page.goto("/");
  const link = (name: string) =>
    page.getByRole("navigation", { name: "Main" }).getByRole("link", { name });
  const button = (name: string) => page.getByRole("button", { name });

  await tabTo(page, page.getByRole("textbox", { name: "Email" }));
  await page.keyboard.type(account.email);
  await tabTo(page, page.getByRole("textbox", { name: "Password" }));
  await page.keyboard.type(account.password);
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/#\/photos$/);

  await press(page, page.getByRole("checkbox", { name: "Select" }), "Space");
  const toolbar = page.getByRole("toolbar", { name: "Selection" });
  await press(page, toolbar.getByRole("button", { name: "Move to trash" }));
  await expect(page.getByRole("status")).toContainText("Moved 1 photo to the trash.");
  await press(page, button("Undo"));
  await expect(page.getByRole("img", { name: "A red car" })).toBeVisible();

  await press(page, page.getByRole("checkbox", { name: "Select" }), "Space");
  await press(page, toolbar.getByRole("button", { name: "Move to trash" }));
  await press(page, link("Trash"));
  await press(page, page.getByRole("checkbox", { name: "Select" }), "Space");
  await press(page, button("Restore"));
  await expect(page.getByRole("heading", { name: "The trash is empty" })).toBeVisible();

  await press(page, button("Account"));
  await expect(page.getByRole("menuitem", { name: "Settings" })).toBeVisible();
  await page.keyboard.press("ArrowDown");
  await expect(page.getByRole("menuitem", { name: "Settings" })).toBeFocused();
  await page.keyboard.press("Enter");
  const name = page.getByRole("textbox", { name: "Name" });
  await expect(name).toHaveValue("Mario");
  await tabTo(page, name);
  await page.keyboard.press("Control+A");
  await page.keyboard.type("Luigi");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("status")).toContainText("Name saved.");

  await press(page, button("Account"));
  await expect(page.getByRole("menuitem", { name: "Settings" })).toBeFocused();
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/#\/signin$/);
});
