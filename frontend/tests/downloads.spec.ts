import { readFile } from "node:fs/promises";

import type { APIRequestContext, Download, Locator, Page } from "@playwright/test";

import { expect, IMAGE, test, uploadPhoto, type Account } from "./support/album";

test.use({ serviceWorkers: "allow", acceptDownloads: true });

const original = Buffer.from(IMAGE, "base64");
const photos = [
  { filename_orig: "IMG_1.png", taken_date: "2026-03-03T12:00:04+13:00" },
  { filename_orig: "été 山.png", taken_date: "2026-03-02T12:00:02-11:00" },
  { filename_orig: "IMG_1.png", taken_date: "2026-03-01T12:00:00" },
];

async function selectPhotos(
  page: Page,
  request: APIRequestContext,
  account: Account,
  count: number,
): Promise<string[]> {
  const ids = [];
  for (const photo of photos.slice(0, count)) ids.push(await uploadPhoto(request, account, photo));
  await page.evaluate(() => navigator.serviceWorker.ready);
  await page.reload();
  const boxes = page.getByRole("checkbox", { name: "Select" });
  await expect(boxes).toHaveCount(count);
  for (const box of await boxes.all()) await box.check();
  return ids;
}

async function download(page: Page): Promise<Download> {
  const started = page.waitForEvent("download");
  await page
    .getByRole("toolbar", { name: "Selection" })
    .getByRole("button", { name: "Download" })
    .click();
  return started;
}

/** Where messages appear; the toolbar has the number of selected photos as another one. */
function messages(page: Page): Locator {
  return page.getByRole("status").last();
}

test("one photo is downloaded as it is, under its own name", async ({
  signedIn,
  account,
  request,
}) => {
  await selectPhotos(signedIn, request, account, 1);
  const file = await download(signedIn);
  expect(file.suggestedFilename()).toBe("IMG_1.png");
  expect(await readFile(await file.path())).toEqual(original);
});

test("several photos are downloaded as one zip, in their order, with their names and times", async ({
  signedIn,
  account,
  request,
}) => {
  await selectPhotos(signedIn, request, account, 3);
  const file = await download(signedIn);
  expect(file.suggestedFilename()).toMatch(/^CloudAlbum \d{4}-\d\d-\d\d\.zip$/);
  expect(file.url(), "streamed by the service worker").toContain("/downloads/");
  const zip = await readFile(await file.path());
  expect(entriesOf(zip)).toEqual([
    { name: "IMG_1.png", seconds: 4, hour: 12, bytes: original },
    { name: "été 山.png", seconds: 2, hour: 12, bytes: original },
    { name: "IMG_1 (1).png", seconds: 0, hour: 12, bytes: original },
  ]);
  await expect(signedIn.getByText("Downloading 3 photos")).toHaveCount(0);
  await expect(signedIn).toHaveURL(/#\/photos$/);
});

test("a photo that cannot be downloaded is listed, and the others are in the zip", async ({
  signedIn,
  account,
  request,
}) => {
  const [, gone] = await selectPhotos(signedIn, request, account, 3);
  await signedIn.evaluate(async (id) => {
    const { accessToken } = JSON.parse(localStorage.getItem("session") ?? "{}") as {
      accessToken: string;
    };
    const headers = { Authorization: `Bearer ${accessToken}` };
    await fetch(`/photos/${id}`, { method: "DELETE", headers });
  }, gone ?? "");
  const zip = await readFile(await (await download(signedIn)).path());
  expect(entriesOf(zip).map(({ name }) => name)).toEqual(["IMG_1.png", "IMG_1 (1).png"]);
  await expect(messages(signedIn)).toContainText(
    "1 of 3 photos could not be downloaded: été 山.png.",
  );
  await signedIn.getByRole("button", { name: "Dismiss" }).click();
  await expect(messages(signedIn)).toBeEmpty();
});

test("Cancel ends a download, which never looks complete", async ({
  signedIn,
  account,
  request,
  context,
}) => {
  await selectPhotos(signedIn, request, account, 3);
  // The second photo never arrives.
  let requests = 0;
  await context.route(/\/photos\/[^/]+\/[^/]+\.png\?/, (route) => {
    requests += 1;
    return requests > 1 ? undefined : route.continue();
  });
  const file = await download(signedIn);
  const message = messages(signedIn);
  await expect(message).toContainText("Downloading 3 photos");
  await expect(message.getByRole("progressbar")).toHaveAttribute("max", "3");
  await message.getByRole("button", { name: "Cancel" }).click();
  await expect(message).toBeEmpty();
  expect(await file.failure()).not.toBeNull();
});

interface Entry {
  name: string;
  hour: number;
  seconds: number;
  bytes: Buffer;
}

/** Read the local headers of a zip without compression; sizes are in the central directory. */
function entriesOf(zip: Buffer): Entry[] {
  const found: Entry[] = [];
  for (
    let at = zip.indexOf("PK\u0001\u0002");
    at >= 0;
    at = zip.indexOf("PK\u0001\u0002", at + 4)
  ) {
    const [time, size] = [zip.readUInt16LE(at + 12), zip.readUInt32LE(at + 24)];
    const nameLength = zip.readUInt16LE(at + 28);
    const start = zip.readUInt32LE(at + 42) + 30 + nameLength;
    found.push({
      name: zip.subarray(at + 46, at + 46 + nameLength).toString(),
      hour: time >> 11,
      seconds: (time & 31) * 2,
      bytes: zip.subarray(start, start + size),
    });
  }
  return found;
}
