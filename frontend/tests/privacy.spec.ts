import { expect, signIn, test, uploadPhoto } from "./support/album";

test.use({ serviceWorkers: "allow" });

test("all views work with every other host blocked, and none was asked for anything", async ({
  page,
  account,
  request,
  context,
  baseURL,
}) => {
  const id = await uploadPhoto(request, account, {
    desc: "A red car",
    taken_date: "2026-03-01T12:00:00",
    geotag_lat: "46.5",
    geotag_lng: "6.6",
  });
  const policy = (await request.get("/")).headers()["content-security-policy"] ?? "";
  const bucket = /img-src [^;]*(http:\/\/127[^;\s]*)/.exec(policy)?.[1] ?? "";
  const allowed = new Set([new URL(baseURL ?? "").origin, bucket]);
  const asked = new Set<string>();
  // Also what the service worker requests.
  context.on("request", (sent) => asked.add(sent.url()));

  await page.goto("/#/signin");
  await signIn(page, account);
  await page.evaluate(() => navigator.serviceWorker.ready);
  for (const view of [
    "photos",
    "favorites",
    "map",
    "search?q=red",
    "trash",
    "settings",
    `photos/${id}`,
  ]) {
    await page.goto(`/#/${view}`);
    await page.waitForLoadState("networkidle");
  }
  await page.goto("/#/photos");
  await page.reload();
  await expect(page.getByRole("img", { name: "A red car" })).toBeVisible();

  const hosts = [...asked]
    .filter((url) => url.startsWith("http"))
    .map((url) => new URL(url).origin);
  expect(new Set(hosts)).toEqual(allowed);
  const tokens = [...asked].filter((url) => /[?&#](access_?token|token|authorization)=/i.test(url));
  expect(tokens, "no token is in a URL").toEqual([]);
});
