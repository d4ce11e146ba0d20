import { expect, signIn, test } from "./support/album";

test.beforeEach(async ({ signedIn }) => {
  await signedIn.goto("/#/settings");
  await expect(signedIn.getByRole("textbox", { name: "Name" })).toHaveValue("Mario");
});

test("a name is saved", async ({ signedIn }) => {
  const name = signedIn.getByRole("textbox", { name: "Name" });
  await name.fill("Super Mario");
  await signedIn.getByRole("button", { name: "Save name" }).click();
  await expect(signedIn.getByRole("status")).toContainText("Name saved.");
  await signedIn.reload();
  await expect(name).toHaveValue("Super Mario");
});

test("an empty name is rejected", async ({ signedIn }) => {
  await signedIn.getByRole("textbox", { name: "Name" }).fill(" ");
  await signedIn.getByRole("button", { name: "Save name" }).click();
  await expect(signedIn.getByRole("textbox", { name: "Name" })).toHaveAccessibleDescription(
    "Name is required.",
  );
});

test("photos and bytes are counted", async ({ signedIn }) => {
  await expect(signedIn.getByRole("definition").first()).toHaveText("0");
  await expect(signedIn.getByText("Size of the originals")).toBeVisible();
  await expect(signedIn.getByText("0 bytes")).toBeVisible();
});

test("a wrong current password is reported next to its field", async ({ signedIn }) => {
  const current = signedIn.getByRole("textbox", { name: "Current password" });
  await current.fill("Wrong-2026");
  await signedIn.getByRole("textbox", { name: "New password" }).fill("Changed-2026");
  await signedIn.getByRole("button", { name: "Change password" }).click();
  await expect(current).toHaveAttribute("aria-invalid", "true");
  await expect(current).toHaveAccessibleDescription(/.+/);
  await expect(signedIn).toHaveURL(/#\/settings$/);
});

test("a changed password signs out, and is what signs in again", async ({ signedIn, account }) => {
  await signedIn.getByRole("textbox", { name: "Current password" }).fill(account.password);
  await signedIn.getByRole("textbox", { name: "New password" }).fill("Changed-2026");
  await signedIn.getByRole("button", { name: "Change password" }).click();
  await expect(
    signedIn.getByText("Your password is changed, and all devices are signed out."),
  ).toBeVisible();
  await signIn(signedIn, { ...account, password: "Changed-2026" });
});

test("deleting the account asks for the password and says what is lost", async ({
  signedIn,
  account,
}) => {
  await signedIn.getByRole("button", { name: "Delete account" }).click();
  const dialog = signedIn.getByRole("alertdialog", { name: "Delete your account?" });
  await expect(dialog).toHaveAccessibleDescription(/You will permanently lose 0 photos/);
  const password = dialog.getByRole("textbox", { name: "Password" });
  await password.fill("Wrong-2026");
  await dialog.getByRole("button", { name: "Delete account" }).click();
  await expect(password).toHaveAttribute("aria-invalid", "true");
  await password.fill(account.password);
  await dialog.getByRole("button", { name: "Delete account" }).click();
  await expect(signedIn.getByText("Your account and all of its photos are deleted.")).toBeVisible();
  await expect(signedIn).toHaveURL(/#\/signin$/);
});

test("a large account is deleted in several requests, with its progress", async ({ signedIn }) => {
  const answers = [{ remaining: 1_500 }, { remaining: 300 }, { ok: true }];
  await signedIn.route("**/users/me", async (route) => {
    if (route.request().method() !== "DELETE") return route.continue();
    const json = answers.shift();
    if (json?.remaining === 300) {
      await expect(signedIn.getByText("Deleting. 1,500 photos left.")).toBeVisible();
    }
    return route.fulfill({ status: json?.remaining ? 202 : 200, json });
  });
  await signedIn.getByRole("button", { name: "Delete account" }).click();
  const dialog = signedIn.getByRole("alertdialog");
  await dialog.getByRole("textbox", { name: "Password" }).fill("Secret-2026");
  await dialog.getByRole("button", { name: "Delete account" }).click();
  await expect(signedIn.getByText("Your account and all of its photos are deleted.")).toBeVisible();
  expect(answers).toEqual([]);
});

test("Escape and Cancel keep the account and return the focus", async ({ signedIn }) => {
  const button = signedIn.getByRole("button", { name: "Delete account" });
  for (const close of [
    () => signedIn.keyboard.press("Escape"),
    () => signedIn.getByRole("button", { name: "Cancel" }).click(),
  ]) {
    await button.click();
    await expect(signedIn.getByRole("alertdialog")).toBeVisible();
    await close();
    await expect(signedIn.getByRole("alertdialog")).toHaveCount(0);
    await expect(button).toBeFocused();
  }
});

test("the theme follows the system until one is chosen, and is kept", async ({ signedIn }) => {
  const ground = () =>
    signedIn.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
  await signedIn.emulateMedia({ colorScheme: "dark" });
  await expect.poll(ground).toBe("rgb(18, 18, 20)");
  await signedIn.getByRole("radio", { name: "Light" }).check({ force: true });
  await expect.poll(ground).toBe("rgb(255, 255, 255)");
  await signedIn.reload();
  await expect.poll(ground).toBe("rgb(255, 255, 255)");
  await expect(signedIn.getByRole("radio", { name: "Light" })).toBeChecked();
  await signedIn.getByRole("radio", { name: "System" }).check({ force: true });
  await expect.poll(ground).toBe("rgb(18, 18, 20)");
});
