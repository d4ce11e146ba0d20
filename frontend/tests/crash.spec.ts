/** The page is killed in the middle of uploads, on a bad connection, and opened again. */
import type { APIRequestContext, BrowserContext, Page } from "@playwright/test";

import { expect, openSession, test, type Account } from "./support/album";
import { startFlakyAlbum } from "./support/flaky";
import { images, type Image } from "./support/images";
import { drag, expectStored, folderOf, uploads } from "./support/uploads";

async function openSignedIn(
  context: BrowserContext,
  request: APIRequestContext,
  url: string,
  account: Account,
): Promise<Page> {
  const { expiresIn, ...tokens } = await openSession(request, account);
  const session = { ...tokens, expiresAt: Date.now() + expiresIn * 1000 };
  const page = await context.newPage();
  await page.goto(`${url}/icon.svg`);
  await page.evaluate((text) => localStorage.setItem("session", text), JSON.stringify(session));
  await page.goto(url);
  await expect(page.getByRole("navigation", { name: "Main" })).toBeVisible();
  return page;
}

/** End the process that renders the page, which gets no chance to store anything. */
async function kill(page: Page): Promise<void> {
  const session = await page.context().newCDPSession(page);
  const crashed = page.waitForEvent("crash");
  session.send("Page.crash").catch(() => undefined); // No process is left to answer.
  await crashed;
  await page.close();
}

/** Return the number of files that the region reports as finished; all of them without a region. */
async function finished(page: Page, count: number): Promise<number> {
  const all = uploads(page).getByRole("progressbar", { name: "All uploads" });
  if ((await all.count()) === 0) return count;
  const words = await all.getAttribute("aria-valuetext");
  return Number(/^[\d,]+/.exec(words ?? "0")?.[0].replace(",", "") ?? 0);
}

/** The moments are random: print them, to find out what a failure has to do with them. */
function print(line: string): void {
  console.log(line); // eslint-disable-line no-console
}

async function uploadThroughCrashes(
  context: BrowserContext,
  request: APIRequestContext,
  account: Account,
  files: readonly Image[],
  kills: number,
): Promise<void> {
  const album = await startFlakyAlbum(test.info().project.use.baseURL ?? "");
  const started = Date.now();
  const elapsed = () => `${((Date.now() - started) / 1000).toFixed(1)} s`;
  try {
    const folder = await folderOf(
      Object.fromEntries(files.map(({ name, buffer }) => [`photos/${name}`, buffer])),
    );
    let page = await openSignedIn(context, request, album.url, account);
    await drag(page, [`${folder}/photos`]);
    await expect(uploads(page)).toBeVisible();
    for (let count = 1; count <= kills; count++) {
      // Somewhere in this part of the files, random within it.
      const until = Math.floor(((count - 1 + Math.random()) / kills) * files.length * 0.7);
      await expect
        .poll(() => finished(page, files.length), { timeout: 240_000, intervals: [50] })
        .toBeGreaterThanOrEqual(until);
      await kill(page);
      print(`killed at ${String(until)} of ${String(files.length)}, ${elapsed()}`);
      page = await context.newPage();
      await page.goto(album.url);
      // Without anything left to do, it does not appear.
      await uploads(page)
        .waitFor({ timeout: 10_000 })
        .catch(() => undefined);
    }
    await expect.poll(() => finished(page, files.length), { timeout: 240_000 }).toBe(files.length);
    await expect(uploads(page).getByText(/^Failed/)).toHaveCount(0);
    print(`${String(files.length)} files, ${String(kills)} kills, ${elapsed()}`);
    print(`${String(album.failures())} requests failed`);
    expect(album.failures()).toBeGreaterThan(1);
  } finally {
    await album.close();
  }
  await expectStored(request, account, files);
}

test("24 files survive a killed page and a bad connection, each stored once", async ({
  context,
  request,
  account,
}) => {
  test.slow();
  await uploadThroughCrashes(context, request, account, images(24), 1);
});

test(
  "500 files survive five killed pages and a bad connection, each stored once",
  { tag: "@full" },
  async ({ context, request, account }) => {
    test.setTimeout(900_000);
    await uploadThroughCrashes(context, request, account, images(500), 5);
  },
);
