import { expect, signIn, test, uploadPhoto } from "./support/album";

test("words find the photos that have all of them, wherever they are", async ({
  page,
  account,
  request,
}) => {
  await uploadPhoto(request, account, { desc: "A red car", tags: "holiday" });
  await uploadPhoto(request, account, { desc: "A red boat", city: "Lisbon" });
  await uploadPhoto(request, account, { desc: "Mountains" });
  await page.goto("/#/search");
  await signIn(page, account);
  await expect(page.getByRole("heading", { name: "Search your photos" })).toBeVisible();
  const box = page.getByRole("searchbox", { name: "Search" });
  await box.fill("red");
  await box.press("Enter");
  await expect(page.getByRole("heading", { name: "Results for “red”" })).toBeAttached();
  await expect(page.getByRole("img", { name: "A red car" })).toBeVisible();
  await expect(page.getByRole("img", { name: "A red boat" })).toBeVisible();
  await expect(page.getByRole("img", { name: "Mountains" })).toHaveCount(0);
  await box.fill("RED lisbon");
  await box.press("Enter");
  await expect(page.getByRole("img", { name: "A red car" })).toHaveCount(0);
  await expect(page.getByRole("img", { name: "A red boat" })).toBeVisible();
  await page.goBack();
  await expect(box).toHaveValue("red");
  await expect(page.getByRole("img", { name: "A red car" })).toBeVisible();
});

test("a search without results says what to do", async ({ signedIn }) => {
  await signedIn.goto("/#/search?q=unicorn");
  await expect(
    signedIn.getByRole("heading", { name: "No photos found for “unicorn”" }),
  ).toBeVisible();
  await expect(signedIn.getByText("Check the spelling, or try fewer words.")).toBeVisible();
});
