/** Accounts of the album under test, and a page that is signed in to one. */
import { expect, test as base, type APIRequestContext, type Page } from "@playwright/test";

export const PASSWORD = "Secret-2026";

export interface Account {
  name: string;
  email: string;
  password: string;
}

interface Fixtures {
  /** A new account. */
  account: Account;
  /** A page that shows the photos of `account`. */
  signedIn: Page;
  /** Fails the test if the page logs an error or requests anything from another origin. */
  quiet: undefined;
}

let count = 0;

export const test = base.extend<Fixtures>({
  account: async ({ request }, use, testInfo) => {
    await use(await createAccount(request, testInfo.workerIndex));
  },

  signedIn: async ({ page, account, request }, use) => {
    const { expiresIn, ...tokens } = await openSession(request, account);
    const session = { ...tokens, expiresAt: Date.now() + expiresIn * 1000 };
    await page.goto("/icon.svg"); // any file with the album's origin
    await page.evaluate((text) => localStorage.setItem("session", text), JSON.stringify(session));
    await page.goto("/");
    await expect(page.getByRole("navigation", { name: "Main" })).toBeVisible();
    await use(page);
  },

  quiet: [
    async ({ page, baseURL }, use) => {
      const problems: string[] = [];
      page.on("pageerror", (error) => problems.push(String(error)));
      page.on("console", (message) => {
        // Chromium logs each response with an error status; the tests expect some.
        const isStatus = message.text().startsWith("Failed to load resource");
        if (message.type() === "error" && !isStatus) problems.push(message.text());
      });
      page.on("request", (request) => {
        const { protocol, hostname } = new URL(request.url());
        const isOwn = hostname === new URL(baseURL ?? "").hostname;
        if (protocol.startsWith("http") && !isOwn) problems.push(request.url());
      });
      await use(undefined);
      expect(problems).toEqual([]);
    },
    { auto: true },
  ],
});

export async function createAccount(request: APIRequestContext, worker: number): Promise<Account> {
  count += 1;
  const address = `${String(Date.now())}-${String(worker)}-${String(count)}`;
  const account = { name: "Mario", email: `mario-${address}@example.com`, password: PASSWORD };
  const { name: username, email, password } = account;
  await post(request, "/users/signup", { data: { username, email, password } });
  return account;
}

interface Tokens {
  accessToken: string;
  refreshToken: string;
  expiresIn: number;
}

/** Sign in without the page. */
export async function openSession(request: APIRequestContext, account: Account): Promise<Tokens> {
  const { email, password } = account;
  return (await post(request, "/users/signin", { data: { email, password } })) as Tokens;
}

/** Send a request until the album is not too busy for it, and return the body of its response. */
async function post(
  request: APIRequestContext,
  path: string,
  options: Parameters<APIRequestContext["post"]>[1],
): Promise<unknown> {
  let response = await request.post(path, options);
  for (let attempt = 1; response.status() === 503 && attempt < 4; attempt++) {
    const seconds = Number(response.headers()["retry-after"] ?? 1);
    await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
    response = await request.post(path, options);
  }
  expect(response.status(), await response.text()).toBe(200);
  return response.json();
}

/** Fill in the form of the page `Sign in`, and wait for the album. */
export async function signIn(page: Page, { email, password }: Account): Promise<void> {
  await page.getByRole("textbox", { name: "Email" }).fill(email);
  await page.getByRole("textbox", { name: "Password" }).fill(password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByRole("button", { name: "Sign in" })).toHaveCount(0);
}

export const IMAGE =
  "iVBORw0KGgoAAAANSUhEUgAAAAYAAAAECAIAAAAiZtkUAAAAFElEQVR4nGPUiDrBgAqYGDAAcUIAYEABUiFrNjcAAAAASUVORK5CYII=";

/** Upload a small image with its metadata, and return the photo's ID. */
export async function uploadPhoto(
  request: APIRequestContext,
  account: Account,
  metadata: Record<string, string>,
): Promise<string> {
  const { accessToken } = await openSession(request, account);
  const body = await post(request, "/photos/file", {
    headers: { Authorization: `Bearer ${accessToken}` },
    multipart: { base64_image: IMAGE, filename_orig: "photo.png", ...metadata },
  });
  return (body as { photo_id: string }).photo_id;
}

export async function openAccountMenu(page: Page): Promise<void> {
  await page.getByRole("button", { name: "Account" }).click();
  await expect(page.getByRole("menuitem", { name: "Settings" })).toBeVisible();
}

export { expect };
