/** What people do to upload, and what the album then has. */
import { mkdtempSync, writeFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

import { expect, type APIRequestContext, type Locator, type Page } from "@playwright/test";

import { openSession, type Account } from "./album";
import { sha256, type Image } from "./images";

interface Photo {
  id: string;
  filename_orig: string;
  sha256: string;
  originalSrc: string;
}

export function uploads(page: Page): Locator {
  return page.getByRole("region", { name: "Uploads" });
}

/** Return the row of a file. */
export function row(page: Page, name: string): Locator {
  return uploads(page).getByRole("listitem").filter({ hasText: name });
}

/** Expect that nothing is left to do of `count` files. */
export async function expectFinished(page: Page, count: number): Promise<void> {
  const all = uploads(page).getByRole("progressbar", { name: "All uploads" });
  const words = `${String(count)} of ${String(count)} files`;
  await expect(all).toHaveAttribute("aria-valuetext", words, { timeout: 20_000 });
}

/** Choose files with the button `Upload`. */
export async function choose(page: Page, files: readonly Image[]): Promise<void> {
  const chooser = page.waitForEvent("filechooser");
  await page.getByRole("banner").getByRole("button", { name: "Upload" }).click();
  await (await chooser).setFiles([...files]);
}

/** Write files into a new folder, by their paths in it, and return the path of the folder. */
export async function folderOf(files: Record<string, Buffer | string>): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "album-"));
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
  }
  return folder;
}

/** Drag files or folders of the disk into the window; with `isDropped`, also drop them. */
export async function drag(page: Page, paths: string[], isDropped = true): Promise<void> {
  const session = await page.context().newCDPSession(page);
  const data = { items: [], files: paths, dragOperationsMask: 1 };
  const types = ["dragEnter", "dragOver", ...(isDropped ? ["drop"] : [])] as const;
  for (const type of types) {
    await session.send("Input.dispatchDragEvent", {
      type: type as "drop",
      x: 600,
      y: 400,
      data,
    });
  }
  await session.detach();
}

/** Return all photos of an account. */
export async function photosOf(request: APIRequestContext, account: Account): Promise<Photo[]> {
  const { accessToken } = await openSession(request, account);
  const response = await request.get("/photos?limit=1000&urls=original", {
    headers: { Authorization: `Bearer ${accessToken}` },
  });
  return ((await response.json()) as { photos: Photo[] }).photos;
}

/** Expect that an account has these images, each exactly once, byte for byte. */
export async function expectStored(
  request: APIRequestContext,
  account: Account,
  files: readonly Image[],
): Promise<void> {
  const photos = await photosOf(request, account);
  const stored = await Promise.all(
    photos.map(async ({ filename_orig, originalSrc }) => {
      const original = await request.get(originalSrc);
      return `${filename_orig} ${sha256(await original.body())}`;
    }),
  );
  const expected = files.map(({ name, buffer }) => `${name} ${sha256(buffer)}`);
  expect(stored.sort()).toEqual(expected.sort());
}
