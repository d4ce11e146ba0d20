import type { APIRequestContext, BrowserContext, Page } from "@playwright/test";

import {
  createAccount,
  expect,
  openAccountMenu,
  openSession,
  signIn,
  test,
  uploadPhoto,
  type Account,
} from "./support/album";
import { serveVersions } from "./support/versions";

test.use({ serviceWorkers: "allow" });

const OFFLINE = "You are offline. What you have seen before is still here.";
const names = ["A red car", "The sea", "A hill"];

async function uploadPhotos(request: APIRequestContext, account: Account): Promise<void> {
  for (const desc of names) await uploadPhoto(request, account, { desc });
}

/** Open the photos, and wait until the worker has kept them. */
async function see(page: Page): Promise<void> {
  await page.reload();
  await expectPhotos(page);
  await expect.poll(() => kept(page, "images")).toBe(names.length);
}

async function expectPhotos(page: Page): Promise<void> {
  for (const name of names) {
    const image = page.getByRole("main").getByRole("img", { name });
    await expect(image).toBeVisible();
    await expect
      .poll(() => image.evaluate((element) => (element as HTMLImageElement).naturalWidth))
      .toBeGreaterThan(0);
  }
}

/** Return the number of entries of a cache. */
function kept(page: Page, cache: string): Promise<number> {
  return page.evaluate(async (name) => {
    return (await caches.has(name)) ? (await (await caches.open(name)).keys()).length : 0;
  }, cache);
}

/** Collect what the worker requests from the network. */
function networkOf(context: BrowserContext): string[] {
  const urls: string[] = [];
  context.on("request", (request) => {
    if (request.serviceWorker()) urls.push(request.url());
  });
  return urls;
}

test("the second visit loads no image from the network, even with URLs that were signed again", async ({
  signedIn,
  account,
  request,
  context,
}) => {
  await uploadPhotos(request, account);
  await see(signedIn);
  const requested = networkOf(context);
  const images: boolean[] = [];
  signedIn.on("response", (response) => {
    if (response.url().includes("X-Amz-Signature")) images.push(response.fromServiceWorker());
  });
  await signedIn.reload();
  await expectPhotos(signedIn);
  expect(images.length).toBeGreaterThanOrEqual(names.length);
  expect(images).not.toContain(false);
  // Another signature for the same path: the bucket would reject it.
  const src = await signedIn.getByRole("main").getByRole("img").first().getAttribute("src");
  const statuses = await signedIn.evaluate(async (url) => {
    const status = async (address: string) => (await fetch(address)).status;
    return [await status(`${url}00`), await status(`${url.replace(/[^/]+\.jpg/, "x.jpg")}00`)];
  }, src ?? "");
  expect(statuses[0]).toBe(200);
  expect(statuses[1]).toBeGreaterThanOrEqual(400);
  expect(await kept(signedIn, "images"), "errors are never kept").toBe(names.length);
  expect(requested.filter((url) => url.includes("X-Amz-") && !url.includes("/x.jpg"))).toEqual([]);
  expect(requested.filter((url) => url.includes("/photos?"))).not.toEqual([]);
});

test("what the first visit has shown is there offline", async ({
  page,
  account,
  request,
  context,
}) => {
  await uploadPhotos(request, account);
  await page.goto("/#/photos");
  await signIn(page, account);
  await expectPhotos(page);
  await expect.poll(() => kept(page, "images")).toBe(names.length);
  await context.setOffline(true);
  await page.reload();
  await expectPhotos(page);
});

test("offline, the web app opens and shows what was seen before, even after the session is due", async ({
  signedIn,
  account,
  request,
  context,
}) => {
  await uploadPhotos(request, account);
  await see(signedIn);
  await signedIn.goto("/#/settings");
  await expect(signedIn.getByText(`You sign in as ${account.email}.`)).toBeVisible();
  await context.setOffline(true);
  await signedIn.evaluate(() => {
    const session = JSON.parse(localStorage.getItem("session") ?? "{}") as object;
    localStorage.setItem("session", JSON.stringify({ ...session, expiresAt: 0 }));
  });
  await signedIn.goto("/#/photos");
  await signedIn.reload();
  await expectPhotos(signedIn);
  await expect(signedIn.getByRole("status")).toContainText(OFFLINE);
  await signedIn.goto("/#/settings");
  await expect(signedIn.getByText(`You sign in as ${account.email}.`)).toBeVisible();
  await signedIn.getByRole("textbox", { name: "Name" }).fill("Luigi");
  await signedIn.getByRole("button", { name: "Save name" }).click();
  await expect(signedIn.getByRole("alert")).toContainText("No connection.");
  await context.setOffline(false);
  await expect(signedIn.getByText(OFFLINE)).toHaveCount(0);
  await signedIn.getByRole("button", { name: "Save name" }).click();
  await expect(signedIn.getByRole("status")).toContainText("Name saved.");
});

test("no token is kept, and signing out deletes all that was kept of the photos", async ({
  signedIn,
  account,
  request,
}) => {
  await uploadPhotos(request, account);
  await see(signedIn);
  const found = () =>
    signedIn.evaluate(async () => {
      const { accessToken } = JSON.parse(localStorage.getItem("session") ?? "{}") as {
        accessToken: string;
      };
      let text = "";
      for (const name of await caches.keys()) {
        const cache = await caches.open(name);
        for (const { url, headers } of await cache.keys())
          text += url + JSON.stringify([...headers]);
        if (name === "replies")
          for (const reply of await cache.matchAll()) text += await reply.text();
      }
      return { hasToken: text.includes(accessToken), hasPhotos: text.includes("A red car") };
    });
  await expect.poll(found).toEqual({ hasToken: false, hasPhotos: true });
  await openAccountMenu(signedIn);
  await signedIn.getByRole("menuitem", { name: "Sign out" }).click();
  await expect(signedIn.getByRole("button", { name: "Sign in" })).toBeVisible();
  await expect.poll(() => kept(signedIn, "images")).toBe(0);
  await expect.poll(() => kept(signedIn, "replies")).toBe(0);
});

test("another account that signs in finds nothing of the one before, also offline", async ({
  signedIn,
  account,
  request,
  context,
}, { workerIndex }) => {
  await uploadPhotos(request, account);
  await see(signedIn);
  const { expiresIn, ...tokens } = await openSession(
    request,
    await createAccount(request, workerIndex),
  );
  const session = { ...tokens, expiresAt: Date.now() + expiresIn * 1000 };
  await signedIn.evaluate((text) => {
    localStorage.setItem("session", text);
  }, JSON.stringify(session));
  await signedIn.reload();
  await expect(signedIn.getByRole("heading", { name: "No photos yet" })).toBeVisible();
  await expect.poll(() => kept(signedIn, "images")).toBe(0);
  await context.setOffline(true);
  await signedIn.reload();
  await expect(signedIn.getByRole("navigation", { name: "Main" })).toBeVisible();
  await expect(signedIn.getByRole("img", { name: "A red car" })).toHaveCount(0);
});

test("a new version is offered; tabs of the older one work until they are closed", async ({
  context,
}) => {
  const versions = await serveVersions();
  try {
    const [old, other] = [await context.newPage(), await context.newPage()];
    for (const page of [old, other]) {
      await page.goto(versions.url);
      await page.evaluate(() => navigator.serviceWorker.ready);
      await expect(page.getByRole("button", { name: "Sign in" })).toBeVisible();
    }
    versions.release();
    await other.evaluate(async () => (await navigator.serviceWorker.ready).update());
    await expect(other.getByRole("status")).toContainText("A new version is ready.");
    await other.getByRole("button", { name: "Reload" }).click();
    const description = other.locator('meta[name="description"]');
    await expect(description).toHaveAttribute("content", "The next version");
    await old.getByRole("link", { name: "Create an account" }).click();
    await expect(old.getByRole("button", { name: "Create account" })).toBeVisible();
    await old.close();
    await other.reload();
    await expect
      .poll(() =>
        other.evaluate(async () => (await caches.keys()).filter((name) => /^app/.test(name))),
      )
      .toEqual(["app-next"]);
  } finally {
    versions.close();
  }
});

test("files that are shared with the web app wait for a page, which uploads them", async ({
  signedIn,
}) => {
  const isControlled = () => signedIn.evaluate(() => navigator.serviceWorker.controller !== null);
  await expect.poll(isControlled).toBe(true);
  const status = await signedIn.evaluate(async () => {
    const form = new FormData();
    form.append("photos", new File(["bytes"], "été.jpg", { type: "image/jpeg" }));
    return (await fetch("/share-target", { method: "POST", body: form })).status;
  });
  expect(status).toBe(200);
  const names = await signedIn.evaluate(async () => {
    const cache = await caches.open("shared");
    const responses = await Promise.all((await cache.keys()).map((key) => cache.match(key)));
    return responses.map((response) => decodeURIComponent(response?.headers.get("X-Name") ?? ""));
  });
  expect(names).toEqual(["été.jpg"]);
  await signedIn.reload();
  await expect.poll(() => signedIn.evaluate(() => caches.has("shared"))).toBe(false);
});

test("the web app can be installed", async ({ signedIn, request, context }) => {
  await signedIn.evaluate(() => navigator.serviceWorker.ready);
  const session = await context.newCDPSession(signedIn);
  const { installabilityErrors } = await session.send("Page.getInstallabilityErrors");
  const ids = installabilityErrors.map(({ errorId }) => errorId);
  expect(ids.filter((id) => id !== "in-incognito")).toEqual([]); // what a test's context is
  const manifest = (await (await request.get("/manifest.webmanifest")).json()) as {
    icons: { src: string; sizes: string; type: string; purpose?: string }[];
  };
  expect(manifest.icons.filter(({ purpose }) => purpose === "maskable")).toHaveLength(1);
  for (const icon of manifest.icons.filter(({ type }) => type === "image/png")) {
    const png = await (await request.get(icon.src)).body();
    expect(`${String(png.readUInt32BE(16))}x${String(png.readUInt32BE(20))}`).toBe(icon.sizes);
  }
});

test("the service worker is checked at each visit, and may load only from the album", async ({
  request,
}) => {
  const { headers, status } = await request
    .get("/sw.js")
    .then((response) => ({ headers: response.headers(), status: response.status() }));
  expect(status).toBe(200);
  expect(headers["cache-control"]).toBe("no-cache");
  expect(headers["content-type"]).toContain("text/javascript");
  expect(headers["content-security-policy"]).toContain("worker-src 'self'");
});
