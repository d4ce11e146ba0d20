import type { Locator, Page } from "@playwright/test";

import { expect, signIn, test, uploadPhoto } from "./support/album";

const NAMES = ["A lake", "A hill", "A tree"] as const;

interface Opened {
  dialog: Locator;
  ids: string[];
}

/** Three photos in the list, newest first; the second is open. */
const withPhotos = test.extend<{ opened: Opened }>({
  opened: async ({ page, account, request }, use) => {
    const ids: string[] = [];
    for (const [index, desc] of NAMES.entries()) {
      const taken_date = `2026-11-0${String(9 - index)}T10:00:05+13:00`;
      ids.push(await uploadPhoto(request, account, { desc, taken_date, tags: "sea" }));
    }
    await page.goto("/#/photos");
    await signIn(page, account);
    await page.getByRole("link", { name: "A hill" }).click();
    const dialog = page.getByRole("dialog", { name: "Photo" });
    await expect(photo(dialog, "A hill")).toBeVisible();
    await use({ dialog, ids });
  },
});

function photo(dialog: Locator, name: string): Locator {
  return dialog.getByRole("img", { name });
}

function button(dialog: Locator, name: string): Locator {
  return dialog.getByRole("button", { name, exact: true });
}

function openLink(page: Page, name: string): Locator {
  return page.getByRole("main").getByRole("link", { name });
}

withPhotos(
  "buttons and arrow keys go through the list and end at its ends",
  async ({ page, opened: { dialog, ids } }) => {
    await button(dialog, "Next").click();
    await expect(photo(dialog, "A tree")).toBeVisible();
    await expect(page).toHaveURL(new RegExp(`#/photos/${ids[2] ?? ""}$`));
    await expect(button(dialog, "Next")).toBeDisabled();
    await page.keyboard.press("ArrowRight");
    await expect(photo(dialog, "A tree")).toBeVisible();
    await page.keyboard.press("ArrowLeft");
    await expect(photo(dialog, "A hill")).toBeVisible();
    await button(dialog, "Previous").click();
    await expect(photo(dialog, "A lake")).toBeVisible();
    await expect(button(dialog, "Previous")).toBeDisabled();
    await page.goBack();
    await expect(dialog).toHaveCount(0);
    await expect(page).toHaveURL(/#\/photos$/);
  },
);

withPhotos(
  "Escape and Close return to the photo in its list, which kept its place",
  async ({ page, opened: { dialog } }) => {
    await page.keyboard.press("Escape");
    await expect(dialog).toHaveCount(0);
    await expect(openLink(page, "A hill")).toBeFocused();
    await page.keyboard.press("Enter");
    await expect(photo(dialog, "A hill")).toBeVisible();
    await button(dialog, "Next").click();
    await expect(photo(dialog, "A tree")).toBeVisible();
    await button(dialog, "Close").click();
    await expect(openLink(page, "A tree")).toBeFocused();
    await page.goForward();
    await expect(photo(dialog, "A tree")).toBeVisible();
  },
);

withPhotos(
  "the focus stays in the viewer, and the list below cannot be used",
  async ({ page, opened: { dialog } }) => {
    for (let count = 0; count < 12; count++) {
      await page.keyboard.press("Tab");
      expect(await dialog.evaluate((viewer) => viewer.contains(document.activeElement))).toBe(true);
    }
    expect(await page.locator("main").getAttribute("inert")).not.toBeNull();
  },
);

withPhotos(
  "Favorite is a toggle, also with f, and is kept",
  async ({ page, opened: { dialog } }) => {
    const favorite = button(dialog, "Favorite");
    await expect(favorite).toHaveAttribute("aria-pressed", "false");
    await Promise.all([page.waitForResponse("**/photos/batch"), favorite.click()]);
    await expect(favorite).toHaveAttribute("aria-pressed", "true");
    await page.reload();
    await expect(favorite).toHaveAttribute("aria-pressed", "true");
    await Promise.all([page.waitForResponse("**/photos/batch"), page.keyboard.press("f")]);
    await expect(favorite).toHaveAttribute("aria-pressed", "false");
    await page.route("**/photos/batch", (route) => route.abort());
    await page.keyboard.press("f");
    await expect(dialog.getByRole("status")).toContainText("No connection.", { timeout: 20_000 });
    await expect(favorite).toHaveAttribute("aria-pressed", "false");
  },
);

withPhotos(
  "Info shows what is known, in the photo's own time, also with i",
  async ({ page, opened: { dialog } }) => {
    await button(dialog, "Info").click();
    const info = dialog.getByRole("region", { name: "Info" });
    await expect(info).toContainText("Sunday, November 8, 2026");
    await expect(info).toContainText("10:00:05 AM · UTC+13:00");
    await expect(info).toContainText("photo.png");
    await expect(info).toContainText("6 × 4");
    await expect(info.getByRole("listitem")).toHaveText(["sea"]);
    await page.keyboard.press("i");
    await expect(info).toHaveCount(0);
  },
);

withPhotos(
  "Move to trash goes on to the next photo, and Undo brings the photo back",
  async ({ page, opened: { dialog } }) => {
    await button(dialog, "Move to trash").click();
    await expect(photo(dialog, "A tree")).toBeVisible();
    await dialog.getByRole("button", { name: "Dismiss" }).click();
    await page.keyboard.press("Delete");
    await expect(photo(dialog, "A lake")).toBeVisible();
    await expect(dialog.getByRole("status")).toContainText("Moved 1 photo to the trash.");
    await dialog.getByRole("button", { name: "Undo" }).click();
    await expect(page.locator('main img[alt="A tree"]')).toBeAttached();
    await page.keyboard.press("Escape");
    await expect(openLink(page, "A tree")).toBeVisible();
    await expect(openLink(page, "A hill")).toHaveCount(0);
  },
);

withPhotos(
  "a photo in the trash can be restored or deleted permanently",
  async ({ page, opened: { dialog, ids } }) => {
    await page.keyboard.press("Delete");
    await expect(dialog.getByRole("status")).toContainText("Moved 1 photo to the trash.");
    await page.goto(`/#/photos/${ids[1] ?? ""}`);
    await button(dialog, "Restore").click();
    await expect(dialog).toHaveCount(0);
    await expect(openLink(page, "A hill")).toBeVisible();
    await openLink(page, "A hill").click();
    await page.keyboard.press("Delete");
    await expect(photo(dialog, "A tree")).toBeVisible();
    await expect(dialog.getByRole("status")).toContainText("Moved 1 photo to the trash.");
    await page.goto("/#/trash");
    await openLink(page, "A hill").click();
    await expect(button(dialog, "Move to trash")).toHaveCount(0);
    await button(dialog, "Delete permanently").click();
    const question = page.getByRole("alertdialog");
    // The list shows the change before the album has made it.
    const deleted = page.waitForResponse("**/photos/batch");
    await question.getByRole("button", { name: "Delete permanently" }).click();
    await expect(page.getByRole("heading", { name: "The trash is empty" })).toBeVisible();
    await deleted;
    await page.goto(`/#/photos/${ids[1] ?? ""}`);
    await expect(dialog.getByRole("heading", { name: "This photo does not exist" })).toBeVisible();
  },
);

withPhotos("Download saves the original under its name", async ({ page, opened: { dialog } }) => {
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    button(dialog, "Download").click(),
  ]);
  expect(download.suggestedFilename()).toBe("photo.png");
});

withPhotos(
  "a reload and a bookmark show the photo over the list it belongs to",
  async ({ page, opened: { dialog, ids } }) => {
    await page.goto("/#/search?q=tree");
    await openLink(page, "A tree").click();
    await page.reload();
    await expect(photo(dialog, "A tree")).toBeVisible();
    await button(dialog, "Close").click();
    await expect(page).toHaveURL(/#\/search\?q=tree$/);
    await page.goto("about:blank");
    await page.goto(`/#/photos/${ids[0] ?? ""}`);
    await expect(photo(dialog, "A lake")).toBeVisible();
    await button(dialog, "Next").click();
    await expect(photo(dialog, "A hill")).toBeVisible();
    await page.keyboard.press("Escape");
    await expect(page).toHaveURL(/#\/photos$/);
  },
);

withPhotos(
  "what was displayed is never requested again, even when its URL is signed again",
  async ({ page, opened: { dialog } }) => {
    await page.addInitScript(() => {
      let signature = 0;
      const send = window.fetch.bind(window);
      window.fetch = async (...request) => {
        const response = await send(...request);
        if (!/\/photos\/[\w-]{36}$/.test(response.url)) return response;
        const body = (await response.json()) as { photo: Record<string, string> };
        body.photo.previewSrc = `${body.photo.previewSrc ?? ""}#again=${String(signature++)}`;
        return new Response(JSON.stringify(body), response);
      };
    });
    await page.reload();
    const source = () => photo(dialog, "A hill").getAttribute("src");
    const first = await source();
    const requested: string[] = [];
    page.on("request", (request) => {
      if (request.resourceType() === "image") requested.push(new URL(request.url()).pathname);
    });
    await page.keyboard.press("Escape");
    await openLink(page, "A hill").click();
    await expect(photo(dialog, "A hill")).toBeVisible();
    expect(await source()).toBe(first);
    expect(requested).not.toContain(new URL(first ?? "").pathname);
  },
);

withPhotos(
  "a preview that cannot be loaded is asked for once more, then explained",
  async ({ page, opened: { dialog } }) => {
    let reads = 0;
    const details = /\/photos\/[\w-]{36}$/;
    await page.route(details, async (route) => {
      reads += 1;
      const response = await route.fetch();
      const body = (await response.json()) as { photo: Record<string, string> };
      body.photo.previewSrc = `/${body.photo.id ?? ""}.jpg?${String(reads)}`;
      await route.fulfill({ response, json: body });
    });
    await page.reload();
    await expect(dialog.getByRole("alert")).toContainText("This photo cannot be displayed.");
    expect(reads).toBeLessThanOrEqual(6); // three photos, each twice
    await page.unroute(details);
    await button(dialog, "Try again").click();
    await expect(dialog.getByRole("alert")).toHaveCount(0);
    await expect(photo(dialog, "A hill")).toBeVisible();
  },
);

withPhotos(
  "controls hide while nothing moves, but never from under the focus",
  async ({ page, opened: { dialog } }) => {
    const close = button(dialog, "Close");
    const opacity = () => close.evaluate((element) => getComputedStyle(element.closest(".control") ?? element).opacity); // prettier-ignore
    await page.mouse.move(600, 400);
    await expect.poll(opacity).toBe("0");
    await page.mouse.move(610, 400);
    await expect.poll(opacity).toBe("1");
    await page.keyboard.press("Tab");
    await expect(close).toBeFocused();
    await page.clock.install();
    await page.keyboard.press("Shift");
    await page.clock.runFor(10_000);
    await expect.poll(opacity).toBe("1");
  },
);

withPhotos(
  "the wheel, double clicks and keys zoom; a photo opens fitted",
  async ({ page, opened: { dialog } }) => {
    const width = async () => (await photo(dialog, "A hill").boundingBox())?.width ?? 0;
    await expect.poll(width).toBeLessThan(10); // It has grown from its place into the viewer.
    const fitted = await width();
    await page.mouse.move(640, 400);
    await page.mouse.wheel(0, -400);
    await expect.poll(width).toBeGreaterThan(fitted * 1.5);
    await page.keyboard.press("0");
    await expect.poll(width).toBe(fitted);
    await page.mouse.dblclick(640, 400);
    await expect.poll(width).toBeGreaterThan(fitted * 2);
    await page.mouse.dblclick(640, 400);
    await expect.poll(width).toBe(fitted);
    await page.keyboard.press("+");
    await expect.poll(width).toBeGreaterThan(fitted);
  },
);

withPhotos(
  "a photo grows from its place, but not under reduced motion",
  async ({ page, opened: { dialog } }) => {
    await page.evaluate(() => {
      const animate = Element.prototype.animate;
      const counted = window as unknown as { growths: number[] };
      counted.growths = [];
      Element.prototype.animate = function (...[frames, timing]) {
        counted.growths.push(typeof timing === "object" ? Number(timing.duration) : 0);
        return animate.call(this, frames, timing);
      };
    });
    const growths = () => page.evaluate(() => (window as unknown as { growths: number[] }).growths);
    await page.keyboard.press("Escape");
    await openLink(page, "A lake").click();
    await expect(photo(dialog, "A lake")).toBeVisible();
    const durations = await growths();
    expect(durations.length).toBeGreaterThan(0);
    expect(Math.max(...durations)).toBeLessThanOrEqual(200);
    await page.emulateMedia({ reducedMotion: "reduce" });
    await page.keyboard.press("Escape");
    await openLink(page, "A lake").click();
    await expect(photo(dialog, "A lake")).toBeVisible();
    expect(await growths()).toHaveLength(durations.length);
  },
);

withPhotos.describe("on a phone", () => {
  withPhotos.use({ viewport: { width: 320, height: 640 }, hasTouch: true });

  withPhotos(
    "a swipe changes the photo, a tap hides the controls, all within 320 pixels",
    async ({ page, opened: { dialog } }) => {
      for (const control of await dialog.getByRole("button").all()) {
        const box = await control.boundingBox();
        expect(box?.height).toBeGreaterThanOrEqual(44);
        expect(box?.x).toBeGreaterThanOrEqual(0);
        expect((box?.x ?? 0) + (box?.width ?? 0)).toBeLessThanOrEqual(320);
      }
      const touches = await page.context().newCDPSession(page);
      const touch = (type: "touchStart" | "touchMove" | "touchEnd", x?: number) =>
        touches.send("Input.dispatchTouchEvent", {
          type,
          touchPoints: x === undefined ? [] : [{ x, y: 300 }],
        });
      await touch("touchStart", 250);
      for (const x of [200, 150, 80]) await touch("touchMove", x);
      await touch("touchEnd");
      await expect(photo(dialog, "A tree")).toBeVisible();
      await page.keyboard.press("Shift"); // shows the controls
      await page.touchscreen.tap(160, 250);
      await expect(dialog).toHaveClass(/idle/);
      await page.touchscreen.tap(100, 450);
      await expect(dialog).not.toHaveClass(/idle/);
    },
  );
});
