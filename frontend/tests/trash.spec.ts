import { expect, test } from "./support/album";

/** The trash with one photo until it is emptied; the album answers 202 while photos are left. */
test.beforeEach(async ({ signedIn }) => {
  let photos: unknown[] = [
    {
      id: "1",
      desc: "A red car",
      taken_date: "2026-11-01T10:00:00",
      upload_date: "2026-11-01T10:00:00Z",
      width: 6,
      height: 4,
      thumbSrc: "/icon.svg",
      thumbhash: null,
      favorite: false,
      trashed_date: "2026-11-02T10:00:00Z",
    },
  ];
  const answers = [{ remaining: 12 }, { ok: true }];
  await signedIn.route("**/photos?*trashed=true*", (route) =>
    route.fulfill({ json: { ok: true, photos, nextCursor: null } }),
  );
  await signedIn.route("**/photos/trash", async (route) => {
    const json = answers.shift();
    if (json?.ok) {
      await expect(signedIn.getByText("Deleting. 12 photos left.")).toBeVisible();
      photos = [];
    }
    await route.fulfill({ status: json?.ok ? 200 : 202, json });
  });
  await signedIn.goto("/#/trash");
});

test("emptying the trash asks once, and says when it is done", async ({ signedIn }) => {
  await expect(signedIn.getByRole("img", { name: "A red car" })).toBeVisible();
  await signedIn.getByRole("button", { name: "Empty trash" }).click();
  const dialog = signedIn.getByRole("alertdialog", { name: "Empty the trash?" });
  await expect(dialog).toHaveAccessibleDescription("This cannot be undone.");
  await dialog.getByRole("button", { name: "Empty trash" }).click();
  await expect(signedIn.getByRole("heading", { name: "The trash is empty" })).toBeVisible();
  await expect(signedIn.getByRole("status")).toContainText("The trash is empty.");
  await expect(signedIn.getByRole("button", { name: "Empty trash" })).toHaveCount(0);
});

test("Cancel keeps everything, and returns the focus", async ({ signedIn }) => {
  const button = signedIn.getByRole("button", { name: "Empty trash" });
  await button.click();
  await signedIn.getByRole("button", { name: "Cancel" }).click();
  await expect(signedIn.getByRole("alertdialog")).toHaveCount(0);
  await expect(button).toBeFocused();
  await expect(signedIn.getByRole("img", { name: "A red car" })).toBeVisible();
});
