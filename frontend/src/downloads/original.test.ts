// @vitest-environment happy-dom
import { beforeEach, expect, it, vi } from "vitest";

import { startSession } from "@/api/session";
import { config } from "@/config";
import { original } from "./original";

const fetched = vi.fn<(request: Request | string) => Promise<Response>>();
const photo = { id: "1", filesize: 5 };
const signed = (number: number) =>
  Response.json({ ok: true, photo: { originalSrc: `http://bucket.test/1.jpg?${String(number)}` } });
const bytes = (body: string) => new Response(body);

function urls(): string[] {
  return fetched.mock.calls.map(([sent]) => (typeof sent === "string" ? sent : sent.url));
}

beforeEach(() => {
  config.api = "http://album.test";
  fetched.mockReset();
  vi.stubGlobal("fetch", fetched);
  vi.stubGlobal("setTimeout", queueMicrotask); // No attempt waits.
  startSession({ accessToken: "a1", refreshToken: "r1", expiresIn: 3600 });
});

it("reads a photo with a URL that was signed for it at this moment", async () => {
  fetched.mockResolvedValueOnce(signed(1)).mockResolvedValueOnce(bytes("12345"));
  expect((await original(photo)).size).toBe(5);
  expect(urls()).toEqual(["http://album.test/photos/1", "http://bucket.test/1.jpg?1"]);
});

it("reads a photo again, with a new URL, if its connection broke", async () => {
  fetched
    .mockResolvedValueOnce(signed(1))
    .mockRejectedValueOnce(new TypeError("Failed to fetch"))
    .mockResolvedValueOnce(signed(2))
    .mockResolvedValueOnce(bytes("123"))
    .mockResolvedValueOnce(signed(3))
    .mockResolvedValueOnce(bytes("12345"));
  expect((await original(photo)).size).toBe(5);
  expect(urls().at(-1)).toBe("http://bucket.test/1.jpg?3");
});

it("gives up on a photo that never arrives completely", async () => {
  fetched.mockImplementation((sent) =>
    Promise.resolve(typeof sent === "string" ? bytes("123") : signed(1)),
  );
  await expect(original(photo)).rejects.toMatchObject({ code: "NetworkError" });
  expect(fetched).toHaveBeenCalledTimes(6);
});

it("does not ask again for a photo that does not exist", async () => {
  const body = { Code: "NotFoundError", Message: "This photo does not exist." };
  fetched.mockResolvedValueOnce(Response.json(body, { status: 404 }));
  await expect(original(photo)).rejects.toThrow("This photo does not exist.");
  expect(fetched).toHaveBeenCalledTimes(1);
});

it("stops when it is cancelled", async () => {
  const cancelled = new AbortController();
  fetched.mockResolvedValueOnce(signed(1)).mockImplementationOnce(() => {
    cancelled.abort();
    return Promise.reject(new DOMException("", "AbortError"));
  });
  await expect(original(photo, cancelled.signal)).rejects.toMatchObject({ name: "AbortError" });
  expect(fetched).toHaveBeenCalledTimes(2);
});
