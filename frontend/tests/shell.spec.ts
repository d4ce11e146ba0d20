import { expect, openAccountMenu, test } from "./support/album";

test("every page has the navigation, the searchbox, Upload and Account", async ({ signedIn }) => {
  const main = signedIn.getByRole("navigation", { name: "Main" });
  for (const name of ["Favorites", "Trash", "Photos"]) {
    await main.getByRole("link", { name }).click();
    await expect(signedIn).toHaveURL(new RegExp(`#/${name.toLowerCase()}$`));
    await expect(signedIn).toHaveTitle(`${name} · CloudAlbum`);
    await expect(main.getByRole("link", { name })).toHaveAttribute("aria-current", "page");
    await expect(signedIn.getByRole("searchbox", { name: "Search" })).toBeVisible();
    await expect(
      signedIn.getByRole("banner").getByRole("button", { name: "Upload" }),
    ).toBeVisible();
  }
});

test("the menu Account works with the keyboard alone, and returns the focus", async ({
  signedIn,
}) => {
  const account = signedIn.getByRole("button", { name: "Account" });
  await account.focus();
  await signedIn.keyboard.press("Enter");
  await expect(signedIn.getByRole("menuitem", { name: "Settings" })).toBeVisible();
  await signedIn.keyboard.press("Escape");
  await expect(signedIn.getByRole("menu")).toHaveCount(0);
  await expect(account).toBeFocused();
  await signedIn.keyboard.press("Enter");
  await expect(signedIn.getByRole("menuitem", { name: "Settings" })).toBeFocused();
  await signedIn.keyboard.press("ArrowDown");
  await expect(signedIn.getByRole("menuitem", { name: "Sign out" })).toBeFocused();
  await signedIn.keyboard.press("ArrowUp");
  await signedIn.keyboard.press("Enter");
  await expect(signedIn).toHaveURL(/#\/settings$/);
});

test("the searchbox opens the page of results, which Back leaves", async ({ signedIn }) => {
  const box = signedIn.getByRole("searchbox", { name: "Search" });
  await box.fill("  red car ");
  await box.press("Enter");
  await expect(signedIn).toHaveURL(/#\/search\?q=red\+car$/);
  await expect(box).toHaveValue("red car");
  await signedIn.goBack();
  await expect(signedIn).toHaveURL(/#\/photos$/);
  await expect(box).toHaveValue("");
});

test("the first Tab reaches a button that skips to the content", async ({ signedIn }) => {
  await signedIn.reload();
  await expect(signedIn.getByRole("main")).toBeVisible();
  await signedIn.keyboard.press("Tab");
  const skip = signedIn.getByRole("button", { name: "Skip to content" });
  await expect(skip).toBeFocused();
  await signedIn.keyboard.press("Enter");
  await expect(signedIn.getByRole("main")).toBeFocused();
});

test("an unknown address leads back to the photos", async ({ signedIn }) => {
  await signedIn.goto("/#/unknown");
  await expect(signedIn.getByRole("heading", { name: "Page not found", level: 1 })).toBeVisible();
  await signedIn.getByRole("link", { name: "Go to your photos" }).click();
  await expect(signedIn).toHaveURL(/#\/photos$/);
});

test.describe("on a phone", () => {
  test.use({ viewport: { width: 320, height: 568 }, hasTouch: true });

  test("the bar at the bottom has the navigation, with the rest under More", async ({
    signedIn,
  }) => {
    const main = signedIn.getByRole("navigation", { name: "Main" });
    const bar = await main.boundingBox();
    expect((bar?.y ?? 0) + (bar?.height ?? 0)).toBe(568);
    await expect(main.getByRole("button", { name: "Upload" })).toBeVisible();
    await expect(main.getByRole("link", { name: "Trash" })).toHaveCount(0);
    await main.getByRole("button", { name: "More" }).tap();
    await main.getByRole("link", { name: "Trash" }).tap();
    await expect(signedIn).toHaveURL(/#\/trash$/);
    await expect(main.getByRole("link", { name: "Trash" })).toHaveCount(0);
    await main.getByRole("link", { name: "Search" }).tap();
    await expect(signedIn.getByRole("searchbox", { name: "Search" })).toBeVisible();
  });

  test("Escape closes More and returns the focus", async ({ signedIn }) => {
    const more = signedIn.getByRole("button", { name: "More" });
    await more.focus();
    await signedIn.keyboard.press("Enter");
    await expect(more).toHaveAttribute("aria-expanded", "true");
    await signedIn.keyboard.press("Tab");
    await signedIn.keyboard.press("Escape");
    await expect(more).toHaveAttribute("aria-expanded", "false");
    await expect(more).toBeFocused();
  });

  test("targets are at least 44 px high, and nothing is wider than the screen", async ({
    signedIn,
  }) => {
    for (const path of ["photos", "settings", "search"]) {
      await signedIn.goto(`/#/${path}`);
      await expect(signedIn.getByRole("navigation", { name: "Main" })).toBeVisible();
      const width = await signedIn.evaluate(() => document.documentElement.scrollWidth);
      expect(width).toBeLessThanOrEqual(320);
      const heights = await signedIn
        .locator("button:visible, nav a:visible")
        .evaluateAll((targets) => targets.map((each) => each.getBoundingClientRect().height));
      expect(Math.min(...heights)).toBeGreaterThanOrEqual(44);
    }
  });
});

test("the menu's code is loaded by its first click", async ({ signedIn }) => {
  const loaded = () =>
    signedIn.evaluate(() => performance.getEntriesByType("resource").map(({ name }) => name));
  expect((await loaded()).filter((name) => name.includes("AccountMenuOpened"))).toEqual([]);
  await openAccountMenu(signedIn);
  expect((await loaded()).filter((name) => /AccountMenuOpened.*js/.test(name))).toHaveLength(1);
});

test("a list that cannot be loaded says why, and loads when asked again", async ({ signedIn }) => {
  await signedIn.route("**/photos?*", (route) => route.abort());
  await signedIn.goto("/#/favorites");
  await expect(signedIn.getByRole("alert")).toContainText("Your photos could not be loaded");
  await expect(signedIn.getByRole("alert")).toContainText("No connection.");
  await signedIn.unroute("**/photos?*");
  await signedIn.getByRole("button", { name: "Try again" }).click();
  await expect(signedIn.getByRole("heading", { name: "No favorites yet" })).toBeVisible();
});
