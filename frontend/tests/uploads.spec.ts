import AxeBuilder from "@axe-core/playwright";
import type { Page } from "@playwright/test";

import { createAccount, expect, openAccountMenu, signIn, test } from "./support/album";
import { image, images } from "./support/images";
import {
  choose,
  drag,
  expectFinished,
  expectStored,
  folderOf,
  photosOf,
  row,
  uploads,
} from "./support/uploads";

const UPLOAD = "**/photos/file";

/** Keep uploads waiting until the returned function is called. */
async function holdUploads(page: Page): Promise<() => Promise<void>> {
  await page.route(UPLOAD, () => undefined);
  return () => page.unroute(UPLOAD);
}

test("chosen files are uploaded, and appear in the list without a reload", async ({
  signedIn,
  account,
  request,
}) => {
  const files = images(3);
  await choose(signedIn, files);
  await expect(uploads(signedIn)).toContainText("3 photos uploaded.");
  for (const { name } of files) {
    await expect(row(signedIn, name)).toContainText("Done");
    await expect(row(signedIn, name).getByRole("progressbar", { name })).toBeAttached();
    await expect(signedIn.getByRole("img", { name })).toBeVisible();
  }
  const all = uploads(signedIn).getByRole("progressbar", { name: "All uploads" });
  await expect(all).toHaveAttribute("aria-valuenow", "100");
  await expectStored(request, account, files);
  await uploads(signedIn).getByRole("button", { name: "Clear list" }).click();
  await expect(uploads(signedIn)).toHaveCount(0);
});

test("a dropped folder keeps its order, and what is no photo or twice the same is skipped", async ({
  signedIn,
  account,
  request,
}) => {
  const [first, second, third] = [image(1), image(2), image(3)];
  const folder = await folderOf({
    "trip/2.png": first.buffer,
    "trip/10.png": second.buffer,
    "trip/copy of 2.png": first.buffer,
    "trip/later/1.png": third.buffer,
    "trip/notes.txt": "Not a photo",
    "trip/.DS_Store": "Clutter",
  });
  const release = await holdUploads(signedIn);
  await drag(signedIn, [`${folder}/trip`], false);
  await expect(signedIn.getByText("Drop photos or folders to upload them")).toBeVisible();
  await drag(signedIn, [`${folder}/trip`]);
  await expect(uploads(signedIn)).toContainText("Skipped notes.txt: not a photo.");
  await expect(uploads(signedIn)).toContainText("Skipped copy of 2.png: the same photo twice.");
  await expect(uploads(signedIn)).not.toContainText("DS_Store");
  const names = uploads(signedIn).getByRole("progressbar");
  await expect(names).toHaveCount(4);
  expect(await names.evaluateAll((bars) => bars.map((bar) => bar.ariaLabel))).toEqual([
    "All uploads",
    "2.png",
    "10.png",
    "1.png",
  ]);
  await release();
  await signedIn.reload();
  await expectFinished(signedIn, 3);
  await expectStored(request, account, [
    { ...first, name: "2.png" },
    { ...second, name: "10.png" },
    { ...third, name: "1.png" },
  ]);
});

test("a pasted image is uploaded", async ({ signedIn }) => {
  const bytes = [...image(1).buffer];
  await signedIn.evaluate((content) => {
    const clipboardData = new DataTransfer();
    const type = "image/png";
    clipboardData.items.add(new File([new Uint8Array(content)], "image.png", { type }));
    dispatchEvent(new ClipboardEvent("paste", { clipboardData }));
  }, bytes);
  await expect(uploads(signedIn)).toContainText("1 photo uploaded.");
});

test("Cancel stops one file, and Stop all the others", async ({ signedIn, account, request }) => {
  await holdUploads(signedIn);
  await choose(signedIn, images(6));
  await expect(uploads(signedIn).getByText("Waiting", { exact: true })).toHaveCount(2);
  const names = { uploading: "image-0001.png", waiting: "image-0006.png" };
  for (const name of Object.values(names)) {
    await row(signedIn, name).getByRole("button", { name: "Cancel" }).click();
    await expect(row(signedIn, name)).toHaveCount(0);
  }
  await expect(row(signedIn, "image-0005.png")).toContainText(/Uploading|Processing/);
  await uploads(signedIn).getByRole("button", { name: "Stop all" }).click();
  await expect(uploads(signedIn)).toHaveCount(0);
  await signedIn.reload();
  await expect(signedIn.getByRole("button", { name: "Account" })).toBeVisible();
  expect(await photosOf(request, account)).toEqual([]);
});

test("failed files say why in the album's words, and Retry and Retry all send them again", async ({
  signedIn,
  account,
  request,
}) => {
  const files = images(3);
  const Message = "This album is full (1 of 1 photos). Delete photos to make room.";
  await signedIn.route(UPLOAD, (route) =>
    route.fulfill({ status: 413, json: { Code: "QuotaExceededError", Message } }),
  );
  await choose(signedIn, files);
  await expect(uploads(signedIn)).toContainText("3 failed.");
  await expect(row(signedIn, "image-0001.png")).toContainText(`Failed: ${Message}`);
  await signedIn.unroute(UPLOAD);
  await row(signedIn, "image-0002.png").getByRole("button", { name: "Retry" }).click();
  await expect(uploads(signedIn)).toContainText("1 photo uploaded. 2 failed.");
  await uploads(signedIn).getByRole("button", { name: "Retry all" }).click();
  await expect(uploads(signedIn)).toContainText("3 photos uploaded.");
  await expectStored(request, account, files);
});

test("the album rejects files that are no image or too large, each with its reason", async ({
  signedIn,
}) => {
  const fake = { name: "fake.jpg", mimeType: "image/jpeg", buffer: Buffer.from("no image") };
  const folder = await folderOf({ "large.png": Buffer.alloc(100_000_001) });
  await choose(signedIn, [fake, image(1)]);
  await expect(row(signedIn, "fake.jpg")).toContainText("Failed: Unsupported image format.");
  await expect(row(signedIn, "image-0001.png")).toContainText("Done");
  await drag(signedIn, [`${folder}/large.png`]);
  await expect(row(signedIn, "large.png")).toContainText(/Failed: .*the limit is 100 MB/);
});

test("a large file goes directly to the bucket", async ({ signedIn, account, request }) => {
  const file = image(1, 5_000_000);
  const urls: string[] = [];
  signedIn.on("request", (sent) => {
    if (sent.method() === "POST") urls.push(new URL(sent.url()).pathname);
  });
  await choose(signedIn, [file]);
  await expect(row(signedIn, file.name)).toContainText("Done", { timeout: 30_000 });
  expect(urls).not.toContain("/photos/file");
  expect(urls.at(-1)).toMatch(/\/photos\/uploads\/.*\/complete$/);
  await expectStored(request, account, [file]);
});

test("photos that the album has are not sent, and those in the trash can be restored", async ({
  signedIn,
  account,
  request,
}) => {
  const files = images(2);
  await choose(signedIn, files);
  await expect(uploads(signedIn)).toContainText("2 photos uploaded.");
  const [trashed] = await photosOf(request, account);
  await signedIn.evaluate(async (id) => {
    const { accessToken } = JSON.parse(localStorage.getItem("session") ?? "") as {
      accessToken: string;
    };
    const headers = { Authorization: `Bearer ${accessToken}` };
    await fetch(`/photos/${id}/trash`, { method: "POST", headers });
  }, trashed?.id ?? "");
  let sent = 0;
  await signedIn.route(UPLOAD, (route) => {
    sent += 1;
    return route.continue();
  });
  await choose(signedIn, files);
  await expect(uploads(signedIn)).toContainText("2 already in your album.");
  await expect(uploads(signedIn).getByText("Already in your album", { exact: true })).toHaveCount(
    1,
  );
  const found = row(signedIn, trashed?.filename_orig ?? "");
  await expect(found).toContainText("Already in your album · In the trash");
  await found.getByRole("button", { name: "Restore" }).click();
  await expect(found).not.toContainText("In the trash");
  await expectStored(request, account, files);
  expect(sent).toBe(0);
});

test("uploads pause without a connection, and continue with it", async ({
  signedIn,
  account,
  request,
}) => {
  const files = images(6);
  const release = await holdUploads(signedIn);
  await choose(signedIn, files);
  await expect(uploads(signedIn).getByText("Waiting", { exact: true })).toHaveCount(2);
  await signedIn.context().setOffline(true);
  await release();
  await expect(uploads(signedIn)).toContainText("Paused: no connection.");
  await signedIn.context().setOffline(false);
  await expect(uploads(signedIn)).toContainText("6 photos uploaded.", { timeout: 20_000 });
  await expectStored(request, account, files);
});

test("after a reload in the middle, uploads continue without a question", async ({
  signedIn,
  account,
  request,
}) => {
  const files = images(6);
  const release = await holdUploads(signedIn);
  await choose(signedIn, files);
  await expect(uploads(signedIn).getByText("Waiting", { exact: true })).toHaveCount(2);
  await expectCopied(signedIn, files.length);
  let asked = false;
  signedIn.on("dialog", (dialog) => {
    asked = true;
    void dialog.accept();
  });
  await release();
  await signedIn.reload();
  await expectFinished(signedIn, files.length);
  expect(asked).toBe(false);
  await expectStored(request, account, files);
});

/** Wait until the browser has a copy of each file. */
async function expectCopied(page: Page, count: number): Promise<void> {
  const copies = () =>
    page.evaluate(
      () =>
        new Promise<number>((resolve) => {
          const opened = indexedDB.open("uploads");
          opened.onsuccess = () => {
            const bytes = opened.result.transaction("bytes").objectStore("bytes");
            const counted = bytes.count();
            counted.onsuccess = () => {
              opened.result.close();
              resolve(counted.result);
            };
          };
        }),
    );
  await expect.poll(copies).toBe(count);
}

test("one tab uploads, another one shows it, and takes over when the first is closed", async ({
  signedIn,
  account,
  request,
}) => {
  const files = images(6);
  await holdUploads(signedIn);
  await choose(signedIn, files);
  await expect(uploads(signedIn).getByText("Waiting", { exact: true })).toHaveCount(2);
  const other = await signedIn.context().newPage();
  await other.goto("/");
  await expect(uploads(other)).toContainText("Another tab of this browser uploads the files.");
  await row(other, "image-0006.png").getByRole("button", { name: "Cancel" }).click();
  await expect(row(signedIn, "image-0006.png")).toHaveCount(0);
  await expectCopied(other, 5);
  await signedIn.close();
  await expectFinished(other, 5);
  await expectStored(request, account, files.slice(0, 5));
});

test("signing out asks about unfinished uploads, and forgets them", async ({
  signedIn,
  request,
}, testInfo) => {
  await holdUploads(signedIn);
  await choose(signedIn, images(2));
  await expect(row(signedIn, "image-0001.png")).toContainText(/Uploading|Processing/);
  await openAccountMenu(signedIn);
  await signedIn.getByRole("menuitem", { name: "Sign out" }).click();
  const dialog = signedIn.getByRole("alertdialog", { name: "Sign out and stop the uploads?" });
  await expect(dialog).toHaveAccessibleDescription(
    "2 files are not uploaded yet, and will not be.",
  );
  await dialog.getByRole("button", { name: "Sign out" }).click();
  await expect(signedIn).toHaveURL(/#\/signin/);
  await expectCopied(signedIn, 0);
  const other = await createAccount(request, testInfo.workerIndex);
  await signIn(signedIn, other);
  await expect(uploads(signedIn)).toHaveCount(0);
});

test("another account neither sees nor sends the files of the first one", async ({
  signedIn,
  account,
  request,
}, testInfo) => {
  const release = await holdUploads(signedIn);
  await choose(signedIn, images(2));
  await expectCopied(signedIn, 2);
  await signedIn.evaluate(() => localStorage.removeItem("session"));
  await signedIn.reload();
  const other = await createAccount(request, testInfo.workerIndex);
  await signIn(signedIn, other);
  await expect(uploads(signedIn)).toHaveCount(0);
  await expectCopied(signedIn, 2);
  await release();
  await signedIn.evaluate(() => localStorage.removeItem("session"));
  await signedIn.reload();
  await signIn(signedIn, account);
  await expectFinished(signedIn, 2);
  expect(await photosOf(request, other)).toEqual([]);
  await expectStored(request, account, images(2));
});

test("a file that the browser lost is named, and goes on when it is chosen again", async ({
  signedIn,
  account,
  request,
}) => {
  const [kept, lost] = [image(1), image(2)];
  const folder = await folderOf({ [kept.name]: kept.buffer, [lost.name]: lost.buffer });
  const paths = [`${folder}/${kept.name}`, `${folder}/${lost.name}`];
  const release = await holdUploads(signedIn);
  await signedIn.locator("input[type=file]").setInputFiles(paths);
  await expectCopied(signedIn, 2);
  await expect(row(signedIn, lost.name)).toContainText(/Uploading|Processing/);
  await signedIn.evaluate(
    (name) =>
      new Promise<void>((resolve) => {
        const opened = indexedDB.open("uploads");
        opened.onsuccess = () => {
          const transaction = opened.result.transaction(["entries", "bytes"], "readwrite");
          const entries = transaction.objectStore("entries").getAll();
          entries.onsuccess = () => {
            const found = (entries.result as { id: string; name: string }[]).find(
              (entry) => entry.name === name,
            );
            transaction.objectStore("bytes").delete(found?.id ?? "");
          };
          transaction.oncomplete = () => {
            opened.result.close();
            resolve();
          };
        };
      }),
    lost.name,
  );
  await release();
  await signedIn.reload();
  await expect(uploads(signedIn)).toContainText("1 photo uploaded. 1 failed.");
  await expect(row(signedIn, lost.name)).toContainText(
    "Failed: This file can no longer be read. Drop or choose it again.",
  );
  await signedIn.locator("input[type=file]").setInputFiles(paths);
  await expect(row(signedIn, lost.name)).toContainText("Done");
  await expect(uploads(signedIn)).not.toContainText("failed");
  await expectStored(request, account, [kept, lost]);
});

test("axe finds nothing in the region Uploads, and the keyboard reaches its buttons", async ({
  signedIn,
}) => {
  const Message = "Unsupported image format. Use JPEG, PNG, GIF, WebP, BMP, TIFF, HEIC or AVIF.";
  let count = 0;
  await signedIn.route(UPLOAD, (route) => {
    count += 1;
    if (count === 1) return route.fulfill({ status: 415, json: { Code: "X", Message } });
    return count === 2 ? route.continue() : undefined;
  });
  await choose(signedIn, images(9));
  await expect(uploads(signedIn)).toContainText(`Failed: ${Message}`);
  await expect(uploads(signedIn).getByText("Done", { exact: true })).toHaveCount(1);
  for (const [width, colorScheme] of [
    [1280, "light"],
    [320, "dark"],
  ] as const) {
    await signedIn.setViewportSize({ width, height: 700 });
    await signedIn.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    const found = await new AxeBuilder({ page: signedIn }).analyze();
    expect(found.violations.map(({ id }) => id)).toEqual([]);
    const wide = await signedIn.evaluate(() => document.documentElement.scrollWidth);
    expect(wide).toBeLessThanOrEqual(width);
    for (const button of await uploads(signedIn).getByRole("button").all()) {
      expect((await button.boundingBox())?.height).toBeGreaterThanOrEqual(44);
    }
  }
  const cancel = row(signedIn, "image-0009.png").getByRole("button", { name: "Cancel" });
  await expect(cancel).toHaveAccessibleDescription("image-0009.png");
  await cancel.focus();
  await signedIn.keyboard.press("Enter");
  await expect(row(signedIn, "image-0009.png")).toHaveCount(0);
  await expect(uploads(signedIn).getByRole("group", { name: "Files" })).toBeFocused();
});

test.describe("on an Android phone", () => {
  test.use({
    viewport: { width: 390, height: 844 },
    userAgent:
      "Mozilla/5.0 (Linux; Android 16; Pixel 10) AppleWebKit/537.36 Chrome/156.0.0.0 Mobile Safari",
  });

  /** A JPEG whose GPS tags have only zeros, as Android leaves them. */
  const ERASED =
    "/9j/4QBwRXhpZgAASUkqAAgAAAABACWIBAABAAAAGgAAAAAAAAACAAIABQADAAAAOAAAAAQABQADAAAAUAAAAAAAAA" +
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAD/2gAC";

  test("a position that the phone removed is pointed out once, with a way to set it", async ({
    signedIn,
  }) => {
    await signedIn.route(UPLOAD, (route) =>
      route.fulfill({ json: { ok: true, photo_id: "p1", photo: { trashed_date: null } } }),
    );
    const buffer = Buffer.from(ERASED, "base64");
    const sea = { name: "sea.jpg", mimeType: "image/jpeg", buffer };
    const input = signedIn.locator("input[type=file]");
    await input.setInputFiles([sea, image(1)]);
    const notice = "Your phone removed the location from 1 photo before the browser got it.";
    await expect(uploads(signedIn)).toContainText(notice);
    const opened = signedIn.waitForURL(/#\/photos\/p1$/);
    await uploads(signedIn).getByRole("button", { name: "Set location" }).click();
    await opened;
    await signedIn.goto("/");
    await signedIn.reload();
    await input.setInputFiles(sea);
    await expect(uploads(signedIn)).toContainText("1 photo uploaded.");
    await expect(uploads(signedIn)).not.toContainText("Your phone removed");
  });
});
