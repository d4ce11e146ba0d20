import { beforeEach, expect, it, vi } from "vitest";

const container = { controller: null as object | null };
const read = (url = "http://album.test/photos") =>
  new Request(url, { headers: { Authorization: "Bearer a1" } });
const list = () => Promise.resolve(new Response('{"photos":[]}'));

beforeEach(() => {
  vi.resetModules();
  container.controller = null;
  vi.stubGlobal("navigator", { serviceWorker: container });
});

it("remembers each read once, with whose it is, and leaves its response to the caller", async () => {
  const { rememberRead, takeReads } = await import("./firstReads");
  const response = list();
  rememberRead(read(), response);
  expect(await takeReads()).toEqual([
    { url: "http://album.test/photos", authorization: "Bearer a1", body: '{"photos":[]}' },
  ]);
  expect(await (await response).json()).toEqual({ photos: [] });
  expect(await takeReads()).toEqual([]);
});

it("remembers nothing once the service worker is there, and after signing out", async () => {
  const { forgetReads, rememberRead, takeReads } = await import("./firstReads");
  rememberRead(read(), list());
  forgetReads();
  container.controller = {};
  rememberRead(read(), list());
  expect(await takeReads()).toEqual([]);
});

it("remembers no errors, no changes and nothing without a token", async () => {
  const { rememberRead, takeReads } = await import("./firstReads");
  rememberRead(read(), Promise.resolve(new Response("{}", { status: 503 })));
  rememberRead(new Request(read(), { method: "DELETE" }), list());
  rememberRead(new Request("http://album.test/photos"), list());
  rememberRead(read(), Promise.reject(new TypeError("no connection")));
  expect(await takeReads()).toEqual([]);
});

it("remembers nothing where there are no service workers, and a bounded number elsewhere", async () => {
  vi.stubGlobal("navigator", {});
  const without = await import("./firstReads");
  without.rememberRead(read(), list());
  expect(await without.takeReads()).toEqual([]);
  vi.resetModules();
  vi.stubGlobal("navigator", { serviceWorker: container });
  const { rememberRead, takeReads } = await import("./firstReads");
  for (let number = 0; number < 30; number++) rememberRead(read(), list());
  expect(await takeReads()).toHaveLength(20);
});
