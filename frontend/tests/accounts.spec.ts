import {
  createAccount,
  expect,
  openAccountMenu,
  openSession,
  PASSWORD,
  signIn,
  test,
} from "./support/album";
import { bodyOf, showBodies } from "./support/bodies";

function newAddress(): string {
  return `luigi-${String(Date.now())}-${String(Math.random()).slice(2, 8)}@example.com`;
}

test("someone who opens the album for the first time creates an account and sees how to begin", async ({
  page,
}) => {
  await page.goto("/");
  await expect(page).toHaveURL(/#\/signin$/);
  await expect(page).toHaveTitle("Sign in · CloudAlbum");
  await page.getByRole("link", { name: "Create an account" }).click();
  await expect(page).toHaveURL(/#\/signup$/);
  await page.getByRole("textbox", { name: "Name" }).fill("Luigi");
  await page.getByRole("textbox", { name: "Email" }).fill(newAddress());
  await page.getByRole("textbox", { name: "Password" }).fill(PASSWORD);
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/#\/photos$/);
  await expect(page.getByRole("heading", { name: "No photos yet" })).toBeVisible();
  await expect(page.getByRole("main").getByRole("button", { name: "Upload" })).toBeVisible();
});

test("errors in a form are next to their fields, which keep what was typed", async ({ page }) => {
  await page.goto("/#/signup");
  await page.getByRole("textbox", { name: "Email" }).fill("luigi");
  await page.getByRole("button", { name: "Create account" }).click();
  const name = page.getByRole("textbox", { name: "Name" });
  const email = page.getByRole("textbox", { name: "Email" });
  await expect(name).toHaveAccessibleDescription("Name is required.");
  await expect(name).toBeFocused();
  await expect(email).toHaveAccessibleDescription(
    "Enter an email address, such as mario@example.com.",
  );
  await expect(email).toHaveAttribute("aria-invalid", "true");
  await expect(email).toHaveValue("luigi");
});

test("a weak password is rejected with the album's own message", async ({ page }) => {
  await page.goto("/#/signup");
  await page.getByRole("textbox", { name: "Name" }).fill("Luigi");
  await page.getByRole("textbox", { name: "Email" }).fill(newAddress());
  await page.getByRole("textbox", { name: "Password" }).fill("secret-2026");
  const response = page.waitForResponse(/signup/);
  await page.getByRole("button", { name: "Create account" }).click();
  const { Message } = (await (await response).json()) as { Message: string };
  await expect(page.getByRole("alert")).toHaveText(Message);
  await expect(page.getByRole("textbox", { name: "Password" })).toHaveValue("secret-2026");
});

test("an address that is taken is reported", async ({ page, account }) => {
  await page.goto("/#/signup");
  await page.getByRole("textbox", { name: "Name" }).fill("Luigi");
  await page.getByRole("textbox", { name: "Email" }).fill(account.email);
  await page.getByRole("textbox", { name: "Password" }).fill(PASSWORD);
  await page.getByRole("button", { name: "Create account" }).click();
  await expect(page.getByRole("alert")).not.toBeEmpty();
  await expect(page).toHaveURL(/#\/signup$/);
});

test("a wrong password is reported, and a shown password can be read", async ({
  page,
  account,
}) => {
  await page.goto("/#/signin");
  await page.getByRole("textbox", { name: "Email" }).fill(account.email);
  const password = page.getByRole("textbox", { name: "Password" });
  await password.fill("Wrong-2026");
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByRole("alert")).not.toBeEmpty();
  await expect(password).toHaveAttribute("type", "password");
  await page.getByRole("button", { name: "Show password" }).click();
  await expect(password).toHaveAttribute("type", "text");
  await expect(password).toHaveValue("Wrong-2026");
  await page.getByRole("button", { name: "Hide password" }).click();
  await expect(password).toHaveAttribute("type", "password");
});

test("forms work with password managers", async ({ page }) => {
  await page.goto("/#/signin");
  const email = page.getByRole("textbox", { name: "Email" });
  const password = page.getByRole("textbox", { name: "Password" });
  await expect(email).toHaveAttribute("autocomplete", "username");
  await expect(email).toHaveAttribute("inputmode", "email");
  await expect(password).toHaveAttribute("autocomplete", "current-password");
  await page.goto("/#/signup");
  await expect(password).toHaveAttribute("autocomplete", "new-password");
});

test("a slow response keeps what was typed, and is asked for only once", async ({
  page,
  account,
}) => {
  let requests = 0;
  let respond: () => void = () => undefined;
  const released = new Promise<void>((resolve) => (respond = resolve));
  await page.route("**/users/signin", async (route) => {
    requests += 1;
    await released;
    await route.continue();
  });
  await page.goto("/#/signin");
  await page.getByRole("textbox", { name: "Email" }).fill(account.email);
  await page.getByRole("textbox", { name: "Password" }).fill(account.password);
  await page.keyboard.press("Enter");
  await page.keyboard.press("Enter");
  const button = page.getByRole("button", { name: "Sign in" });
  await expect(button).toHaveAttribute("aria-busy", "true");
  await expect(page.getByRole("textbox", { name: "Email" })).toHaveValue(account.email);
  respond();
  await expect(page).toHaveURL(/#\/photos$/);
  expect(requests).toBe(1);
});

test("an album that cannot be reached is reported, and nothing is lost", async ({
  page,
  account,
}) => {
  await page.goto("/#/signin");
  await page.route("**/users/signin", (route) => route.abort());
  await page.getByRole("textbox", { name: "Email" }).fill(account.email);
  await page.getByRole("textbox", { name: "Password" }).fill(account.password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByRole("alert")).toHaveText(
    "No connection. Check your network, then try again.",
  );
  await page.unroute("**/users/signin");
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page).toHaveURL(/#\/photos$/);
});

test("where the album confirms by email, a code completes the account", async ({
  page,
  request,
}) => {
  const account = await createAccount(request, 0);
  const bodies: unknown[] = [];
  await page.route("**/users/signup", (route) =>
    route.fulfill({ json: { ok: true, confirm: "email" } }),
  );
  await page.route("**/users/confirm{,/resend}", (route) => {
    bodies.push(route.request().postDataJSON());
    return route.fulfill({ json: { ok: true } });
  });
  await page.goto("/#/signup");
  await page.getByRole("textbox", { name: "Name" }).fill(account.name);
  await page.getByRole("textbox", { name: "Email" }).fill(account.email);
  await page.getByRole("textbox", { name: "Password" }).fill(account.password);
  await page.getByRole("button", { name: "Create account" }).click();
  await expect(page.getByText(`We sent a code to ${account.email}.`)).toBeVisible();
  await page.getByRole("button", { name: "Send another code" }).click();
  await expect(page.getByText("Another code is on its way.")).toBeVisible();
  const code = page.getByRole("textbox", { name: "Code" });
  await expect(code).toHaveAttribute("autocomplete", "one-time-code");
  await page.getByRole("button", { name: "Confirm" }).click();
  await expect(code).toHaveAccessibleDescription("Enter the code from the email.");
  await code.fill("123456");
  await page.getByRole("button", { name: "Confirm" }).click();
  await expect(page).toHaveURL(/#\/photos$/);
  expect(bodies).toEqual([{ email: account.email }, { email: account.email, code: "123456" }]);
});

test("an account that still needs its code can be confirmed later", async ({ page }) => {
  await page.route("**/config.json", (route) =>
    route.fulfill({ json: { api: "", signup: true, confirmation: true } }),
  );
  await page.route("**/users/confirm", (route) => route.fulfill({ json: { ok: true } }));
  await page.goto("/#/signin");
  await page.getByRole("textbox", { name: "Email" }).fill("luigi@example.com");
  await page.getByRole("textbox", { name: "Password" }).fill(PASSWORD);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("link", { name: "Enter the code that confirms your address" }).click();
  await page.getByRole("textbox", { name: "Code" }).fill("123456");
  await page.getByRole("button", { name: "Confirm" }).click();
  await expect(page.getByText("Your account is ready.")).toBeVisible();
  await expect(page.getByRole("textbox", { name: "Email" })).toHaveValue("luigi@example.com");
});

test("an album that is closed to new accounts does not offer to create one", async ({ page }) => {
  await page.route("**/config.json", (route) =>
    route.fulfill({ json: { api: "", signup: false } }),
  );
  await page.goto("/");
  await expect(page.getByRole("button", { name: "Sign in" })).toBeVisible();
  await expect(page.getByRole("link", { name: "Create an account" })).toHaveCount(0);
  await page.goto("/#/signup");
  await expect(page.getByText("This album does not accept new accounts.")).toBeVisible();
  await expect(page.getByRole("textbox")).toHaveCount(0);
});

test("a forgotten password is replaced with the emailed code", async ({ page, account }) => {
  await page.goto("/");
  await page.getByRole("link", { name: "Forgot your password?" }).click();
  await expect(page.getByRole("heading", { name: "Reset your password" })).toBeVisible();
  await page.getByRole("textbox", { name: "Email" }).fill(account.email);
  await page.getByRole("button", { name: "Send code" }).click();
  await page.getByRole("textbox", { name: "Code" }).fill("111111");
  await page.getByRole("textbox", { name: "New password" }).fill("Changed-2026");
  await page.getByRole("button", { name: "Set password" }).click();
  await expect(page.getByRole("alert")).toHaveText(
    "The code is wrong or has expired. Request a new one.",
  );
  await page.getByRole("textbox", { name: "Code" }).fill("654321"); // what MiniStack emails
  await page.getByRole("button", { name: "Set password" }).click();
  await expect(page).toHaveURL(/#\/photos$/);
});

test("signing out ends the session, in every tab", async ({ signedIn, context }) => {
  const other = await context.newPage();
  await other.goto("/#/settings");
  await expect(other.getByRole("heading", { name: "Settings", exact: true })).toBeVisible();
  await openAccountMenu(signedIn);
  await signedIn.getByRole("menuitem", { name: "Sign out" }).click();
  await expect(signedIn).toHaveURL(/#\/signin$/);
  await expect(other).toHaveURL(/#\/signin/);
  await signedIn.goto("/#/photos");
  await expect(signedIn).toHaveURL(/#\/signin/);
  expect(await signedIn.evaluate(() => localStorage.getItem("session"))).toBeNull();
});

test("a session that has ended is explained, and signing in returns to the page", async ({
  signedIn,
  account,
  request,
}) => {
  await signedIn.goto("/#/settings");
  await expect(signedIn.getByRole("textbox", { name: "Name" })).toHaveValue("Mario");
  // Signing out elsewhere ends the sessions of all devices.
  const { accessToken } = await openSession(request, account);
  await request.post("/users/signout", { headers: { Authorization: `Bearer ${accessToken}` } });
  await signedIn.getByRole("button", { name: "Save name" }).click();
  await expect(signedIn).toHaveURL(/#\/signin\?next=/);
  await expect(
    signedIn.getByText("Your session has ended. Sign in to continue where you were."),
  ).toBeVisible();
  await signIn(signedIn, account);
  await expect(signedIn).toHaveURL(/#\/settings$/);
});

test("a bookmarked page asks to sign in first, and Back does not return to the form", async ({
  page,
  account,
}) => {
  await page.goto("/#/search?q=sea");
  await signIn(page, account);
  await expect(page).toHaveURL(/#\/search\?q=sea$/);
  await expect(page.getByRole("searchbox", { name: "Search" })).toHaveValue("sea");
  await page.goto("/#/signin");
  await expect(page).toHaveURL(/#\/photos$/);
});

test("a session survives a reload", async ({ signedIn }) => {
  await signedIn.reload();
  await expect(signedIn.getByRole("navigation", { name: "Main" })).toBeVisible();
  await expect(signedIn).toHaveURL(/#\/photos$/);
});

test("a deletion that was interrupted can be finished after signing in", async ({
  page,
  account,
}) => {
  // The album lets an account that is being deleted do nothing else.
  const denied = { Code: "ForbiddenError", Message: "Sign in again." };
  const answers = [{ remaining: 12 }, { ok: true }];
  await page.route(/\/(photos|users\/me)\b/, async (route) => {
    const { password } = (bodyOf(route.request()) ?? {}) as { password?: string };
    if (route.request().method() !== "DELETE") await route.fulfill({ status: 403, json: denied });
    else if (password === undefined) await route.fulfill({ status: 400, json: {} });
    else if (password !== account.password)
      await route.fulfill({ status: 401, json: { Code: "UnauthorizedError", Message: "Wrong." } });
    else {
      const json = answers.shift();
      await route.fulfill({ status: json?.ok ? 200 : 202, json });
    }
  });
  await showBodies(page);
  await page.goto("/#/signin");
  await page.getByRole("textbox", { name: "Email" }).fill(account.email);
  await page.getByRole("textbox", { name: "Password" }).fill(account.password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page).toHaveURL(/#\/deletion$/);
  await expect(page.getByText("The deletion of your account was interrupted.")).toBeVisible();
  await page.goto("/#/photos");
  await expect(page).toHaveURL(/#\/deletion$/);
  const password = page.getByRole("textbox", { name: "Password" });
  await password.fill("Wrong-2026");
  await page.getByRole("button", { name: "Delete account" }).click();
  await expect(password).toHaveAccessibleDescription(/Wrong\./);
  await password.fill(account.password);
  await page.getByRole("button", { name: "Delete account" }).click();
  await expect(page.getByText("Your account and all of its photos are deleted.")).toBeVisible();
});
