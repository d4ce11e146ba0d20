// @vitest-environment happy-dom
import { beforeEach, expect, it, vi } from "vitest";

import { config } from "@/config";
import { api, data } from "./client";
import { endSession, ending, isBeingDeleted, isSignedIn, startSession } from "./session";

const fetched = vi.fn<(request: Request | string) => Promise<Response>>();
const rejected = () => json(403, { Code: "ForbiddenError", Message: "Sign in again." });
const renewed = () => json(200, { accessToken: "a2", refreshToken: "r2", expiresIn: 3600 });
const tags = () => json(200, { ok: true, tags: [] });

function json(status: number, body: unknown, headers = {}): Response {
  return new Response(JSON.stringify(body), { status, headers });
}

function sent(index: number): Request {
  return fetched.mock.calls[index]?.[0] as Request;
}

beforeEach(() => {
  config.api = "http://album.test/api";
  fetched.mockReset();
  vi.stubGlobal("fetch", fetched);
  endSession("signedOut");
  startSession({ accessToken: "a1", refreshToken: "r1", expiresIn: 3600 });
});

it("sends the token in a header and never in the URL", async () => {
  fetched.mockResolvedValueOnce(tags());
  expect(await data(api().GET("/photos/tags"))).toEqual({ ok: true, tags: [] });
  expect(sent(0).url).toBe("http://album.test/api/photos/tags");
  expect(sent(0).headers.get("Authorization")).toBe("Bearer a1");
});

it("sends no token to routes without one", async () => {
  fetched.mockResolvedValueOnce(json(200, { ok: true }));
  await data(api().POST("/users/password/forgot", { body: { email: "mario@example.com" } }));
  expect(sent(0).headers.has("Authorization")).toBe(false);
});

it("repeats a request with a renewed token, body included", async () => {
  fetched
    .mockResolvedValueOnce(rejected())
    .mockResolvedValueOnce(renewed())
    .mockResolvedValueOnce(json(200, { ok: true, user: { username: "Luigi" } }));
  await data(api().PATCH("/users/me", { body: { username: "Luigi" } }));
  expect(sent(2).headers.get("Authorization")).toBe("Bearer a2");
  expect(await sent(2).json()).toEqual({ username: "Luigi" });
});

it("ends the session when a renewed token is rejected, too", async () => {
  fetched
    .mockResolvedValueOnce(rejected())
    .mockResolvedValueOnce(renewed())
    .mockResolvedValueOnce(rejected())
    .mockResolvedValueOnce(rejected()); // also to delete the account
  await expect(data(api().GET("/photos/tags"))).rejects.toMatchObject({ status: 403 });
  expect(isSignedIn.value).toBe(false);
  expect(ending.value).toBe("expired");
});

it("keeps the session of an account that is being deleted, which may only finish that", async () => {
  fetched
    .mockResolvedValueOnce(rejected())
    .mockResolvedValueOnce(renewed())
    .mockResolvedValueOnce(rejected())
    .mockResolvedValueOnce(
      json(400, { Code: "BadRequestError", Message: "password is required." }),
    );
  await expect(data(api().GET("/photos/tags"))).rejects.toMatchObject({ status: 403 });
  expect(sent(3).method).toBe("DELETE");
  expect(await sent(3).text()).toBe("{}"); // Without a password, nothing is deleted.
  expect(isSignedIn.value).toBe(true);
  expect(isBeingDeleted.value).toBe(true);
  endSession("signedOut");
  expect(isBeingDeleted.value).toBe(false);
});

it("reads with an expired token when offline: the service worker may have the response", async () => {
  startSession({ accessToken: "a1", refreshToken: "r1", expiresIn: 0 });
  fetched.mockRejectedValueOnce(new TypeError()).mockResolvedValueOnce(tags());
  expect(await data(api().GET("/photos/tags"))).toEqual({ ok: true, tags: [] });
  expect(sent(1).headers.get("Authorization")).toBe("Bearer a1");
});

it("sends no change with an expired token", async () => {
  startSession({ accessToken: "a1", refreshToken: "r1", expiresIn: 0 });
  fetched.mockRejectedValue(new TypeError());
  const change = data(api().PATCH("/users/me", { body: { username: "Luigi" } }));
  await expect(change).rejects.toMatchObject({ code: "NetworkError" });
  expect(fetched).toHaveBeenCalledTimes(1);
});

it("takes a wrong password for what it is, not for an expired token", async () => {
  fetched.mockResolvedValueOnce(json(401, { Code: "UnauthorizedError", Message: "Wrong." }));
  const call = api().DELETE("/users/me", { body: { password: "x" } });
  await expect(data(call)).rejects.toMatchObject({ message: "Wrong.", status: 401 });
  expect(fetched).toHaveBeenCalledTimes(1);
  expect(isSignedIn.value).toBe(true);
});

it("waits as long as Retry-After says before it reads again", async () => {
  vi.useFakeTimers();
  fetched
    .mockResolvedValueOnce(json(503, {}, { "Retry-After": "3" }))
    .mockResolvedValueOnce(tags());
  const read = data(api().GET("/photos/tags"));
  await vi.advanceTimersByTimeAsync(2_900);
  expect(fetched).toHaveBeenCalledTimes(1);
  await vi.advanceTimersByTimeAsync(200);
  await read;
  vi.useRealTimers();
  expect(fetched).toHaveBeenCalledTimes(2);
});

it("reports a wait that is too long to wait for", async () => {
  fetched.mockResolvedValueOnce(json(429, { Message: "Later." }, { "Retry-After": "60" }));
  await expect(data(api().GET("/photos/tags"))).rejects.toMatchObject({
    message: "Later.",
    retryAfter: 60,
  });
});

it("gives up after three attempts", async () => {
  fetched.mockImplementation(() => Promise.resolve(json(503, {}, { "Retry-After": "0" })));
  await expect(data(api().GET("/photos/tags"))).rejects.toMatchObject({ status: 503 });
  expect(fetched).toHaveBeenCalledTimes(3);
});

it("never repeats a change by itself", async () => {
  fetched.mockResolvedValueOnce(json(503, { Message: "Busy." }, { "Retry-After": "0" }));
  const call = api().PATCH("/users/me", { body: { username: "Luigi" } });
  await expect(data(call)).rejects.toMatchObject({ message: "Busy." });
  expect(fetched).toHaveBeenCalledTimes(1);
});

it("explains that there is no connection", async () => {
  fetched.mockRejectedValueOnce(new TypeError("Failed to fetch"));
  await expect(data(api().GET("/photos/tags"))).rejects.toMatchObject({
    code: "NetworkError",
    message: "No connection. Check your network, then try again.",
  });
});
