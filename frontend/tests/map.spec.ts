import { expect, signIn, test, uploadPhoto } from "./support/album";

test("the map joins photos that are close, opens them, and lists what is in view", async ({
  page,
  account,
  request,
}) => {
  const lisbon = { geotag_lat: "38.7", geotag_lng: "-9.1" };
  await uploadPhoto(request, account, { desc: "A tram", ...lisbon });
  await uploadPhoto(request, account, { desc: "A tower", ...lisbon, geotag_lat: "38.69" });
  await uploadPhoto(request, account, { desc: "A temple", geotag_lat: "35", geotag_lng: "135.8" });
  await uploadPhoto(request, account, { desc: "A buoy", geotag_lat: "0", geotag_lng: "0" });
  await uploadPhoto(request, account, { desc: "Nowhere" });
  await page.goto("/#/photos");
  await signIn(page, account);
  await page.getByRole("link", { name: "Map" }).click();
  const map = page.getByRole("application", { name: "Map of the world" });
  const inView = page.getByRole("region", { name: "In view" });
  await expect(inView.getByRole("link")).toHaveCount(4);
  await expect(map.getByRole("button", { name: "A temple" })).toBeVisible();
  await expect(map.getByRole("button", { name: "A buoy" })).toBeVisible();
  await map.getByRole("button", { name: "2 photos. Zoom in." }).press("Enter");
  await expect(map.getByRole("button", { name: "A tram" })).toBeVisible();
  await expect(inView.getByRole("link")).toHaveCount(2);
  await map.getByRole("button", { name: "A tower" }).click();
  const dialog = page.getByRole("dialog", { name: "Photo" });
  await expect(dialog.getByRole("img", { name: "A tower" })).toBeVisible();
  await page.keyboard.press("ArrowRight");
  await expect(dialog.getByRole("img", { name: "A tram" })).toBeVisible();
  await page.keyboard.press("ArrowLeft");
  await expect(dialog.getByRole("img", { name: "A tower" })).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(page).toHaveURL(/#\/map$/);
  await expect(inView.getByRole("link")).toHaveCount(2);
  await inView.getByRole("link", { name: "A tram" }).click();
  await expect(dialog.getByRole("img", { name: "A tram" })).toBeVisible();
});

test("the map's code loads when it is opened; without positions it explains itself", async ({
  signedIn,
}) => {
  const loaded = () =>
    signedIn.evaluate(() => performance.getEntriesByType("resource").map(({ name }) => name));
  expect((await loaded()).filter((name) => /MapView|world/.test(name))).toEqual([]);
  await signedIn.goto("/#/map");
  await expect(
    signedIn.getByRole("heading", { name: "No photos with a position yet" }),
  ).toBeVisible();
});

test("a map that cannot be loaded says why, and loads when asked again", async ({ signedIn }) => {
  await signedIn.route("**/photos/map?*", (route) => route.abort());
  await signedIn.goto("/#/map");
  await expect(signedIn.getByRole("alert")).toContainText("No connection.");
  await signedIn.unroute("**/photos/map?*");
  await signedIn.getByRole("button", { name: "Try again" }).click();
  await expect(
    signedIn.getByRole("heading", { name: "No photos with a position yet" }),
  ).toBeVisible();
});
