// @vitest-environment happy-dom
import { beforeEach, expect, it, vi } from "vitest";

const tokens = { accessToken: "a1", refreshToken: "r1", expiresIn: 3600 };
const renewed = { accessToken: "a2", refreshToken: "r2", expiresIn: 3600 };

let session: typeof import("./session");
const fetched = vi.fn<typeof fetch>();

function answer(status: number, body: unknown): void {
  fetched.mockImplementation(() => Promise.resolve(new Response(JSON.stringify(body), { status })));
}

beforeEach(async () => {
  localStorage.clear();
  fetched.mockReset();
  vi.stubGlobal("fetch", fetched);
  vi.useRealTimers();
  vi.resetModules();
  session = await import("./session");
});

it("keeps the session through a reload", async () => {
  session.startSession(tokens);
  vi.resetModules();
  const reloaded = await import("./session");
  expect(reloaded.isSignedIn.value).toBe(true);
  expect(await reloaded.accessToken()).toBe("a1");
  expect(fetched).not.toHaveBeenCalled();
});

it("renews a token that is about to expire", async () => {
  vi.useFakeTimers();
  session.startSession(tokens);
  vi.advanceTimersByTime(3_541_000);
  answer(200, renewed);
  expect(await session.accessToken()).toBe("a2");
  expect(fetched.mock.calls[0]?.[0]).toBe("/users/refresh");
  expect(fetched.mock.calls[0]?.[1]?.body).toBe('{"refreshToken":"r1"}');
});

it("keeps a token that has more than a minute left", async () => {
  vi.useFakeTimers();
  session.startSession(tokens);
  vi.advanceTimersByTime(3_539_000);
  expect(await session.accessToken()).toBe("a1");
});

it("renews a rejected token once, however many requests it was rejected for", async () => {
  session.startSession(tokens);
  answer(200, renewed);
  const found = await Promise.all([1, 2, 3].map(() => session.accessToken("a1")));
  expect(found).toEqual(["a2", "a2", "a2"]);
  expect(fetched).toHaveBeenCalledTimes(1);
  expect(await session.accessToken("a1")).toBe("a2");
  expect(fetched).toHaveBeenCalledTimes(1);
});

it("uses the token that another tab has renewed", async () => {
  session.startSession(tokens);
  localStorage.setItem(
    "session",
    JSON.stringify({ ...renewed, expiresAt: Date.now() + 3_600_000 }),
  );
  expect(await session.accessToken("a1")).toBe("a2");
  expect(fetched).not.toHaveBeenCalled();
});

it.each([401, 403])("ends the session when the refresh token gets a %d", async (status) => {
  session.startSession(tokens);
  answer(status, { Code: "UnauthorizedError", Message: "Sign in again." });
  await expect(session.accessToken("a1")).rejects.toMatchObject({ code: "SessionEnded" });
  expect(session.isSignedIn.value).toBe(false);
  expect(session.ending.value).toBe("expired");
  expect(localStorage.getItem("session")).toBeNull();
});

it("keeps the session while the album is unavailable", async () => {
  session.startSession(tokens);
  answer(503, { Code: "ServiceUnavailableError", Message: "Try again in 5 seconds." });
  await expect(session.accessToken("a1")).rejects.toMatchObject({ status: 503 });
  expect(session.isSignedIn.value).toBe(true);
});

it("keeps the session while the browser is offline", async () => {
  session.startSession(tokens);
  fetched.mockRejectedValue(new TypeError("Failed to fetch"));
  await expect(session.accessToken("a1")).rejects.toMatchObject({ code: "NetworkError" });
  expect(session.isSignedIn.value).toBe(true);
});

it("signs out here when another tab signs out", () => {
  session.followOtherTabs();
  session.startSession(tokens);
  localStorage.removeItem("session");
  window.dispatchEvent(new StorageEvent("storage", { key: "session" }));
  expect(session.isSignedIn.value).toBe(false);
});

it("ignores what is not a session in storage", async () => {
  localStorage.setItem("session", "{broken");
  vi.resetModules();
  expect((await import("./session")).isSignedIn.value).toBe(false);
});
