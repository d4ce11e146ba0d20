// @vitest-environment happy-dom
import { beforeEach, expect, it, vi } from "vitest";

import { ApiError, errorOf } from "@/api/errors";
import { startSession } from "@/api/session";
import { config } from "@/config";
import { newEntry, type Entry } from "./entry";
import { sendForm, type Answer, type FormOptions } from "./form";
import { LARGEST_REQUEST, transport } from "./transport";

vi.mock("./form");

const send = vi.mocked(sendForm);
const fetched = vi.fn<(request: Request | string) => Promise<Response>>();
const progress = { loaded: vi.fn(), begun: vi.fn(), sent: vi.fn(), unsent: vi.fn() };
const { signal } = new AbortController();
const file = new Blob(["abc"]);
const upload = { url: "https://bucket.test/", fields: { key: "uploads/1", policy: "x" } };
const stored = { ok: true, photo_id: "p1", photo: { trashed_date: null } };

function entry(size: number): Entry {
  const facts = { name: 'sea "1".jpg', size, type: "image/jpeg", lastModified: 1 };
  return { ...newEntry(facts, "mario", 1, "key-1"), sha256: "ab" };
}

function answer(status: number, body: unknown): Answer {
  const error = () => errorOf({ status, headers: new Headers() } as Response, body);
  return { status, body, error };
}

function json(status: number, body: unknown): Response {
  return new Response(JSON.stringify(body), { status });
}

const small = () => transport.upload(entry(3), file, progress, signal);
const large = (changes: Partial<Entry> = {}) =>
  transport.upload({ ...entry(LARGEST_REQUEST + 1), ...changes }, file, progress, signal);
const paths = () =>
  fetched.mock.calls.map(([request]) => new URL((request as Request).url).pathname);
const sentForm = (index = 0) => send.mock.calls[index]?.[1] as FormData;
const options = (index = 0) => send.mock.calls[index]?.[2] as FormOptions;

beforeEach(() => {
  config.api = "http://album.test";
  fetched.mockReset();
  send.mockReset();
  for (const report of Object.values(progress)) report.mockReset();
  vi.stubGlobal("fetch", fetched);
  startSession({ accessToken: "a1", refreshToken: "r1", expiresIn: 3600 });
});

it("sends a small file in one request, with its name and its key", async () => {
  send.mockResolvedValueOnce(answer(200, stored));
  expect(await small()).toEqual({ photoId: "p1", isDuplicate: false, isTrashed: false });
  expect(send.mock.calls[0]?.[0]).toBe("http://album.test/photos/file");
  expect(options().headers).toEqual({ Authorization: "Bearer a1", "Idempotency-Key": "key-1" });
  expect(sentForm().get("filename_orig")).toBe('sea "1".jpg');
  expect(sentForm().get("on_duplicate")).toBe("skip");
  expect(fetched).not.toHaveBeenCalled();
});

it("reports no more bytes than the file has, although its form is larger", async () => {
  send.mockResolvedValueOnce(answer(200, stored));
  await small();
  options().onProgress?.(1_000);
  expect(progress.loaded).toHaveBeenCalledWith(3);
});

it("renews a rejected token in the middle of the queue", async () => {
  send
    .mockResolvedValueOnce(answer(403, { Code: "ForbiddenError", Message: "Sign in again." }))
    .mockResolvedValueOnce(answer(200, stored));
  fetched.mockResolvedValueOnce(
    json(200, { accessToken: "a2", refreshToken: "r2", expiresIn: 3600 }),
  );
  await small();
  expect(options(1).headers?.Authorization).toBe("Bearer a2");
  expect(options(1).headers?.["Idempotency-Key"]).toBe("key-1");
});

it("reports a duplicate, also in the trash", async () => {
  const photo = { trashed_date: "2026-11-01T00:00:00Z" };
  send.mockResolvedValueOnce(answer(200, { ...stored, duplicate: true, photo }));
  expect(await small()).toEqual({ photoId: "p1", isDuplicate: true, isTrashed: true });
});

it("raises the album's message unchanged", async () => {
  send.mockResolvedValueOnce(answer(415, { Code: "Unsupported", Message: "Use JPEG." }));
  await expect(small()).rejects.toMatchObject({ message: "Use JPEG.", status: 415 });
});

it("sends a large file to the bucket, the form's fields first, then completes it", async () => {
  fetched
    .mockResolvedValueOnce(json(200, { ok: true, photo_id: "p1", upload }))
    .mockResolvedValueOnce(json(200, stored));
  send.mockResolvedValueOnce(answer(204, null));
  expect((await large()).photoId).toBe("p1");
  const begun = fetched.mock.calls[0]?.[0] as Request;
  expect(begun.headers.get("Idempotency-Key")).toBe("key-1");
  expect(await begun.json()).toMatchObject({ sha256: "ab", on_duplicate: "skip" });
  expect(send.mock.calls[0]?.[0]).toBe("https://bucket.test/");
  expect([...sentForm().keys()]).toEqual(["key", "policy", "file"]);
  expect(options().headers).toBeUndefined(); // no token for the bucket
  expect(paths()).toEqual(["/photos/uploads", "/photos/uploads/p1/complete"]);
  expect(progress.begun).toHaveBeenCalledWith("p1");
  expect(progress.sent).toHaveBeenCalledTimes(1);
});

it("only completes a file that the bucket has already", async () => {
  fetched.mockResolvedValueOnce(json(200, stored));
  await large({ isSent: true, photoId: "p1" });
  expect(send).not.toHaveBeenCalled();
  expect(paths()).toEqual(["/photos/uploads/p1/complete"]);
});

it("sends a file again that the bucket no longer has", async () => {
  fetched
    .mockResolvedValueOnce(json(404, { Code: "NotFoundError", Message: "Nothing uploaded." }))
    .mockResolvedValueOnce(json(200, { ok: true, photo_id: "p1", upload }))
    .mockResolvedValueOnce(json(200, stored));
  send.mockResolvedValueOnce(answer(204, null));
  await large({ isSent: true, photoId: "p1" });
  expect(progress.unsent).toHaveBeenCalledTimes(1);
  expect(send).toHaveBeenCalledTimes(1);
});

it("sends nothing if the album finds a duplicate when the upload begins", async () => {
  fetched.mockResolvedValueOnce(json(200, { ...stored, upload: null, duplicate: true }));
  expect((await large()).isDuplicate).toBe(true);
  expect(send).not.toHaveBeenCalled();
});

it("takes an expired form of the bucket for a reason to try again", async () => {
  fetched.mockResolvedValueOnce(json(200, { ok: true, photo_id: "p1", upload }));
  send.mockResolvedValueOnce(answer(403, null));
  const error = await large().catch((failure: unknown) => failure);
  expect(error).toBeInstanceOf(ApiError);
  expect((error as ApiError).isTemporary).toBe(true);
});

it("asks for hashes in one request", async () => {
  const known = { ab: { photo_id: "p1", trashed: true } };
  fetched.mockResolvedValueOnce(json(200, { ok: true, known }));
  expect([...(await transport.known(["ab", "cd"], signal))]).toEqual([
    ["ab", { photoId: "p1", isTrashed: true }],
  ]);
  expect(await (fetched.mock.calls[0]?.[0] as Request).json()).toEqual({ sha256: ["ab", "cd"] });
});
