// @vitest-environment happy-dom
import { afterAll, beforeAll, beforeEach, expect, it, vi } from "vitest";
import { createApp, type App as VueApp } from "vue";

import { startSession } from "@/api/session";
import App from "@/App.vue";
import { router } from "@/router";

const NAMES = ["A lake", "A hill", "A tree"];
const sent: { method: string; path: string; body: unknown }[] = [];
let app: VueApp;

function photo(index: number): Record<string, unknown> {
  const id = `p${String(index)}`;
  return {
    ...{
      id,
      desc: NAMES[index],
      tags: "sea",
      taken_date: `2026-11-0${String(9 - index)}T10:00:05`,
    },
    ...{ upload_date: "2026-11-10T00:00:00Z", width: 60, height: 40, filesize: 100 },
    ...{ favorite: false, trashed_date: null, filename: "x.png", filename_orig: "photo.png" },
    ...{ city: null, nation: null, address: null, geotag_lat: null, geotag_lng: null },
    ...{ make: null, model: null, thumbSrc: `/t${id}.jpg`, previewSrc: `/v${id}.jpg` },
  };
}

async function respond(request: Request): Promise<Response> {
  const path = new URL(request.url).pathname;
  const body: unknown = request.method === "GET" ? null : await request.json();
  sent.push({ method: request.method, path, body });
  if (path === "/photos/batch") {
    return Response.json({ ok: true, done: [], failed: [], remaining: [] });
  }
  if (path === "/photos/timeline") {
    const months = [{ month: "2026-11", count: 3 }];
    return Response.json({ ok: true, photo_count: 3, months });
  }
  if (path === "/photos") {
    return Response.json({ ok: true, photos: [0, 1, 2].map(photo), nextCursor: null });
  }
  const index = Number(/^\/photos\/p(\d)$/.exec(path)?.[1] ?? 9);
  if (path === "/photos/tags") return Response.json({ ok: true, tags: [] });
  if (index > 2) {
    return Response.json({ Code: "NotFoundError", Message: "Not found." }, { status: 404 });
  }
  return Response.json({ ok: true, photo: { ...photo(index), ...(body as object | null) } });
}

beforeAll(async () => {
  vi.stubGlobal("fetch", (request: Request) => respond(request));
  startSession({ accessToken: "a", refreshToken: "r", expiresIn: 3600 });
  document.body.innerHTML = '<div id="app"></div>';
  app = createApp(App).use(router);
  await router.push("/photos");
  app.mount("#app");
});
afterAll(() => {
  app.unmount();
});

beforeEach(async () => {
  await router.replace("/photos");
  await vi.waitFor(() => {
    expect(dialog()).toBeNull();
  });
  sent.length = 0;
});

const dialog = () => document.querySelector('[role="dialog"]');
const shownPhoto = () =>
  dialog()?.querySelector(".slide:not([aria-hidden]) .preview")?.getAttribute("alt");
const press = (key: string) =>
  document.body.dispatchEvent(
    new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }),
  );

function button(name: string): HTMLElement {
  const found = dialog()?.querySelector<HTMLElement>(`button[aria-label="${name}"]`);
  if (!found) throw new Error(`no button ${name}`);
  return found;
}

async function open(index: number): Promise<void> {
  await router.push({ path: `/photos/p${String(index)}`, state: { list: "/photos" } });
  await shows(NAMES[index] ?? "");
}

async function shows(name: string): Promise<void> {
  await vi.waitFor(() => {
    expect(shownPhoto()).toBe(name);
  });
}

it("buttons and arrow keys go through the list", async () => {
  await open(1);
  button("Next").click();
  await shows("A tree");
  expect(button("Next").getAttribute("aria-disabled")).toBe("true");
  press("ArrowLeft");
  await shows("A hill");
  button("Previous").click();
  await shows("A lake");
  expect(router.currentRoute.value.path).toBe("/photos/p0");
});

it("Escape closes the viewer", async () => {
  await open(1);
  expect(document.querySelector("main")?.hasAttribute("inert")).toBe(true);
  press("Escape");
  await vi.waitFor(() => {
    expect(dialog()).toBeNull();
  });
  expect(document.querySelector("main")?.hasAttribute("inert")).toBe(false);
});

it("f and the button Favorite are one toggle", async () => {
  await open(0);
  press("f");
  await vi.waitFor(() => {
    expect(button("Favorite").getAttribute("aria-pressed")).toBe("true");
  });
  button("Favorite").click();
  await vi.waitFor(() => {
    expect(sent.filter(({ path }) => path === "/photos/batch").map(({ body }) => body)).toEqual([
      { ids: ["p0"], action: "favorite" },
      { ids: ["p0"], action: "unfavorite" },
    ]);
  });
});

it("a photo that does not exist is said to be missing", async () => {
  await router.push("/photos/p9");
  await vi.waitFor(() => {
    expect(dialog()?.textContent).toContain("This photo does not exist");
  });
});

it("the form sends what was changed, and asks before it discards anything", async () => {
  await open(2);
  button("Edit").click();
  const field = await vi.waitFor(() => {
    const found = dialog()?.querySelector("textarea");
    if (!found) throw new Error("no form");
    return found;
  });
  field.value = "A tall tree";
  field.dispatchEvent(new Event("input"));
  press("Escape");
  await vi.waitFor(() => {
    expect(document.querySelector('[role="alertdialog"]')?.textContent).toContain("Discard");
  });
  const keep = [...document.querySelectorAll<HTMLElement>('[role="alertdialog"] button')];
  keep.find(({ textContent }) => textContent.trim() === "Cancel")?.click();
  await vi.waitFor(() => {
    expect(document.querySelector('[role="alertdialog"]')).toBeNull();
  });
  dialog()
    ?.querySelector("form")
    ?.dispatchEvent(new Event("submit", { cancelable: true }));
  await shows("A tall tree");
  expect(sent.filter(({ method }) => method === "PATCH")).toEqual([
    { method: "PATCH", path: "/photos/p2", body: { desc: "A tall tree" } },
  ]);
});

it("Delete moves the photo to the trash and goes on to the next one", async () => {
  await open(1);
  press("Delete");
  await shows("A tree");
  await vi.waitFor(() => {
    expect(dialog()?.querySelector('[role="status"]')?.textContent).toContain("Undo");
  });
});
