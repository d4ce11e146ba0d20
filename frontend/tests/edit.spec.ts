import type { Locator, Page } from "@playwright/test";

import { expect, signIn, test, uploadPhoto, type Account } from "./support/album";
import { bodyOf, showBodies } from "./support/bodies";

const PLACED = {
  desc: "A lake",
  tags: "sea,sun",
  taken_date: "2026-11-03T10:00:05+13:00",
  city: "Lisbon",
  nation: "Portugal",
  geotag_lat: "38.7",
  geotag_lng: "-9.1",
};

/** Open the photo and its form. */
async function openForm(page: Page, account: Account, id: string): Promise<Locator> {
  await page.goto(`/#/photos/${id}`);
  await signIn(page, account);
  const dialog = page.getByRole("dialog", { name: "Photo" });
  await dialog.getByRole("button", { name: "Edit", exact: true }).click();
  return dialog.getByRole("region", { name: "Edit" });
}

function field(form: Locator, name: string): Locator {
  return form.getByRole("textbox", { name });
}

/** Record the bodies of the requests that change the photo. */
async function record(page: Page): Promise<unknown[]> {
  const sent: unknown[] = [];
  await showBodies(page);
  page.on("request", (request) => {
    if (request.method() === "PATCH") sent.push(bodyOf(request));
  });
  return sent;
}

test("only changed fields are sent, the list shows them, and Undo takes them back", async ({
  page,
  account,
  request,
}) => {
  await uploadPhoto(request, account, { desc: "A hill", taken_date: "2025-01-01T10:00:00" });
  const id = await uploadPhoto(request, account, PLACED);
  const sent = await record(page);
  const form = await openForm(page, account, id);
  await expect(field(form, "Description")).toHaveValue("A lake");
  await expect(field(form, "Description")).toBeFocused();
  await expect(field(form, "Tags")).toHaveValue("sea, sun");
  await expect(field(form, "Date taken")).toHaveValue("2026-11-03 10:00:05");
  await expect(field(form, "Date taken")).toHaveAccessibleDescription(/UTC\+13:00/);
  await expect(field(form, "Place")).toHaveValue("Lisbon, Portugal");
  await field(form, "Description").fill("A quiet lake");
  await field(form, "Date taken").fill("2024-05-06 07:08:09");
  await form.getByRole("button", { name: "Save" }).click();
  const dialog = page.getByRole("dialog", { name: "Photo" });
  await expect(dialog.getByRole("img", { name: "A quiet lake" })).toBeVisible();
  expect(sent).toEqual([{ desc: "A quiet lake", taken_date: "2024-05-06T07:08:09+13:00" }]);
  await expect(dialog.getByRole("button", { name: "Edit", exact: true })).toBeFocused();
  // The date has moved it behind the other photo.
  await dialog.getByRole("button", { name: "Previous" }).click();
  await expect(dialog.getByRole("img", { name: "A hill" })).toBeVisible();
  await dialog.getByRole("button", { name: "Undo" }).click();
  await expect.poll(() => sent.length).toBe(2);
  expect(sent[1]).toEqual({ desc: "A lake", taken_date: "2026-11-03T10:00:05+13:00" });
  await page.keyboard.press("Escape");
  await expect(page.getByRole("main").getByRole("link").first()).toHaveAccessibleName(/A lake/);
});

test("tags are suggested, and a suggestion completes what is typed", async ({
  page,
  account,
  request,
}) => {
  await uploadPhoto(request, account, { desc: "A hill", tags: "seaside" });
  const id = await uploadPhoto(request, account, { desc: "A lake" });
  const sent = await record(page);
  const form = await openForm(page, account, id);
  await field(form, "Tags").fill("sun, se");
  await form.getByRole("button", { name: "Add seaside" }).click();
  await expect(field(form, "Tags")).toHaveValue("sun, seaside, ");
  await expect(field(form, "Tags")).toBeFocused();
  await form.getByRole("button", { name: "Save" }).click();
  await expect(form).toHaveCount(0);
  expect(sent).toEqual([{ tags: "sun,seaside" }]);
});

test("errors are next to their fields, those of the album too, and keep what was typed", async ({
  page,
  account,
  request,
}) => {
  const id = await uploadPhoto(request, account, PLACED);
  const form = await openForm(page, account, id);
  await field(form, "Date taken").fill("2026-02-30");
  await field(form, "Latitude").fill("91");
  await form.getByRole("button", { name: "Save" }).click();
  await expect(field(form, "Date taken")).toBeFocused();
  await expect(field(form, "Date taken")).toHaveAccessibleDescription(/Enter a date and time/);
  await expect(field(form, "Latitude")).toHaveAccessibleDescription(/between -90 and 90/);
  await field(form, "Date taken").fill("");
  await field(form, "Latitude").fill("38");
  await field(form, "Tags").fill(Array.from({ length: 51 }, (_, n) => `t${String(n)}`).join());
  await form.getByRole("button", { name: "Save" }).click();
  await expect(field(form, "Tags")).toHaveAccessibleDescription("tags must be at most 50 tags.");
  await page.route(`**/photos/${id}`, (route) => route.abort());
  await field(form, "Tags").fill("few");
  await form.getByRole("button", { name: "Save" }).click();
  await expect(form.getByRole("alert")).toContainText("No connection.");
  await expect(field(form, "Tags")).toHaveValue("few");
});

test("unsaved changes are not lost without a question", async ({ page, account, request }) => {
  const id = await uploadPhoto(request, account, PLACED);
  const form = await openForm(page, account, id);
  await field(form, "Description").fill("Half a sentence");
  const question = page.getByRole("alertdialog", { name: "Discard your changes?" });
  await page.keyboard.press("Escape");
  await question.getByRole("button", { name: "Cancel" }).click();
  await expect(field(form, "Description")).toHaveValue("Half a sentence");
  await page.evaluate(() => (location.hash = "#/favorites"));
  await expect(question).toBeVisible();
  await question.getByRole("button", { name: "Cancel" }).click();
  await expect(page).toHaveURL(new RegExp(`#/photos/${id}$`));
  await expect(field(form, "Description")).toHaveValue("Half a sentence");
  await page.keyboard.press("Escape");
  await question.getByRole("button", { name: "Discard" }).click();
  await expect(form).toHaveCount(0);
});

test("the map, or degrees, set the position, and a button removes it", async ({
  page,
  account,
  request,
}) => {
  const id = await uploadPhoto(request, account, { desc: "A lake" });
  const sent = await record(page);
  const form = await openForm(page, account, id);
  await form.getByRole("application", { name: "Map of the world" }).click();
  await expect(field(form, "Latitude")).not.toHaveValue("");
  await form.getByRole("button", { name: "Save" }).click();
  await expect(form).toHaveCount(0);
  expect(sent).toEqual([{ geotag_lat: expect.any(Number), geotag_lng: expect.any(Number) }]);
  const dialog = page.getByRole("dialog", { name: "Photo" });
  await dialog.getByRole("button", { name: "Info", exact: true }).click();
  await expect(dialog.getByRole("img", { name: /° [NS], .*° [EW]$/ })).toBeVisible();
  await dialog.getByRole("button", { name: "Edit", exact: true }).click();
  await field(form, "Latitude").fill("0");
  await field(form, "Longitude").fill("-9,5");
  await form.getByRole("button", { name: "Save" }).click();
  await expect(form).toHaveCount(0);
  await dialog.getByRole("button", { name: "Edit", exact: true }).click();
  await form.getByRole("button", { name: "Remove position" }).click();
  await form.getByRole("button", { name: "Save" }).click();
  await expect(form).toHaveCount(0);
  expect(sent.slice(1)).toEqual([
    { geotag_lat: 0, geotag_lng: -9.5 },
    { geotag_lat: null, geotag_lng: null },
  ]);
});

test("a slow response keeps what is typed meanwhile", async ({ page, account, request }) => {
  const id = await uploadPhoto(request, account, PLACED);
  const form = await openForm(page, account, id);
  let respond: () => void = () => undefined;
  const held = new Promise<void>((resolve) => (respond = resolve));
  await page.route(`**/photos/${id}`, async (route) => {
    await held;
    await route.continue();
  });
  await field(form, "Description").fill("A lake in the morning");
  await form.getByRole("button", { name: "Save" }).click();
  await field(form, "Description").fill("A lake in the morning, and a boat");
  respond();
  await expect(page.getByRole("status").getByText("Saved.")).toBeVisible();
  await expect(field(form, "Description")).toHaveValue("A lake in the morning, and a boat");
});
