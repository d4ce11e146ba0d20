import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { ApiError, offlineError } from "@/api/errors";
import { text } from "@/text/en";
import { newEntry, type Entry } from "./entry";
import { LostFile } from "./files";
import { createRunner, LARGEST_HASHED, type Runner } from "./runner";
import type { KnownPhoto, Outcome, Progress } from "./transport";

type Upload = (
  entry: Entry,
  file: Blob,
  progress: Progress,
  signal: AbortSignal,
) => Promise<Outcome>;

const upload = vi.fn<Upload>();
const known = vi.fn<(hashes: readonly string[]) => Promise<Map<string, KnownPhoto>>>();
const inspect = vi.fn<(file: Blob) => Promise<{ sha256: string | null; lacksPosition: boolean }>>();
const open = vi.fn<(entry: Entry) => Promise<Blob>>();
const isReadable = vi.fn<() => Promise<boolean>>();
const forget = vi.fn<() => Promise<boolean>>();
const onChange = vi.fn<(id: string, entry: Entry | null) => void>();
const onTwin = vi.fn();
const onConnection = vi.fn();
let runner: Runner;

const busy = new ApiError("Service temporarily unavailable.", "ServiceUnavailableError", 503, 5);

beforeEach(() => {
  vi.useFakeTimers();
  for (const mock of [
    upload,
    known,
    inspect,
    open,
    isReadable,
    forget,
    onChange,
    onTwin,
    onConnection,
  ]) {
    mock.mockReset();
  }
  upload.mockImplementation((entry) => Promise.resolve(stored(entry.id)));
  known.mockResolvedValue(new Map());
  open.mockImplementation((entry) => Promise.resolve(new Blob([entry.name])));
  inspect.mockImplementation(async (file) => ({ sha256: await file.text(), lacksPosition: false }));
  isReadable.mockResolvedValue(true);
  runner = createRunner({
    transport: { known, upload },
    inspect,
    files: { open, isReadable, forget },
    newKey: () => "another key",
    random: () => 1,
    onChange,
    onProgress: vi.fn(),
    onConnection,
    onTwin,
  });
});
afterEach(() => {
  runner.stop();
  vi.useRealTimers();
});

function stored(id: string): Outcome {
  return { photoId: `photo of ${id}`, isDuplicate: false, isTrashed: false };
}

function entries(count: number, size = 10): Entry[] {
  return Array.from({ length: count }, (_, index) => entry(String(index), size));
}

function entry(id: string, size = 10, name = id): Entry {
  return newEntry({ name, size, type: "image/png", lastModified: 1 }, "mario", Number(id), id);
}

const state = (id: string) => runner.entries.get(id)?.state;
const run = (ms = 0) => vi.advanceTimersByTimeAsync(ms);

/** Let uploads wait until they are ended by hand. */
function hold(): Map<string, (outcome: Outcome) => void> {
  const held = new Map<string, (outcome: Outcome) => void>();
  upload.mockImplementation(
    ({ id }, _file, _progress, signal) =>
      new Promise((resolve, reject) => {
        held.set(id, resolve);
        signal.addEventListener("abort", () => reject(signal.reason as Error));
      }),
  );
  return held;
}

describe("the way of a file", () => {
  it("is hashed, asked for, uploaded and done", async () => {
    runner.add([entry("1")]);
    await run();
    expect(known).toHaveBeenCalledExactlyOnceWith(["1"], expect.anything());
    expect(upload.mock.calls[0]?.[0]).toMatchObject({ id: "1", key: "1", sha256: "1" });
    expect(runner.entries.get("1")).toMatchObject({ state: "done", photoId: "photo of 1" });
    expect(runner.isBusy()).toBe(false);
  });

  it("is not uploaded if the album has it, also in the trash", async () => {
    known.mockResolvedValue(new Map([["1", { photoId: "p1", isTrashed: true }]]));
    runner.add([entry("1")]);
    await run();
    expect(upload).not.toHaveBeenCalled();
    expect(runner.entries.get("1")).toMatchObject({
      state: "known",
      photoId: "p1",
      isTrashed: true,
    });
  });

  it("is known, too, if only the upload finds it", async () => {
    upload.mockResolvedValue({ photoId: "p1", isDuplicate: true, isTrashed: false });
    runner.add([entry("1")]);
    await run();
    expect(state("1")).toBe("known");
  });

  it("is done, not known, if an interrupted attempt has stored it", async () => {
    upload.mockRejectedValueOnce(offlineError());
    upload.mockResolvedValue({ photoId: "p1", isDuplicate: true, isTrashed: false });
    runner.add([entry("1")]);
    await run(5_000);
    expect(state("1")).toBe("done");
  });

  it("is uploaded without a hash where the browser cannot hash", async () => {
    inspect.mockResolvedValue({ sha256: null, lacksPosition: false });
    runner.add([entry("1")]);
    await run();
    expect(known).not.toHaveBeenCalled();
    expect(state("1")).toBe("done");
  });

  it("is not read for a hash if the album takes no file of its size", async () => {
    const tooLarge = new ApiError("This file has 200 MB; the limit is 100 MB.", "Too", 413);
    upload.mockRejectedValue(tooLarge);
    runner.add([entry("1", LARGEST_HASHED + 1)]);
    await run();
    expect(inspect).not.toHaveBeenCalled();
    expect(runner.entries.get("1")?.failure?.reason).toBe(tooLarge.message);
  });

  it("reports bytes that are already in the queue, and drops them", async () => {
    hold();
    runner.add([entry("1", 10, "sea"), entry("2", 10, "sea")]);
    await run();
    expect(runner.entries.has("2")).toBe(false);
    expect(onTwin).toHaveBeenCalledTimes(1);
    expect(upload).toHaveBeenCalledTimes(1);
  });

  it("takes the bytes of a file that failed from another one", async () => {
    upload.mockRejectedValueOnce(new ApiError("Full.", "QuotaExceededError", 413));
    runner.add([entry("1", 10, "sea")]);
    await run();
    runner.add([entry("2", 10, "sea")]);
    await run();
    expect(state("2")).toBe("done");
  });
});

describe("many files", () => {
  it("are uploaded in their order, four at a time", async () => {
    const held = hold();
    runner.add(entries(6));
    await run();
    expect([...held.keys()]).toEqual(["0", "1", "2", "3"]);
    held.get("2")?.(stored("2"));
    await run();
    expect([...held.keys()]).toEqual(["0", "1", "2", "3", "4"]);
  });

  it("start together, also while the album is slow to say what it knows", async () => {
    const held = hold();
    known.mockImplementation(async () => {
      await new Promise((resolve) => setTimeout(resolve, 100));
      return new Map();
    });
    runner.add(entries(4));
    await run(300);
    expect([...held.keys()]).toEqual(["0", "1", "2", "3"]);
  });

  it("are uploaded while the rest is still hashed", async () => {
    hold();
    inspect.mockImplementation(async (file) => {
      await new Promise((resolve) => setTimeout(resolve, 100));
      return { sha256: await file.text(), lacksPosition: false };
    });
    runner.add(entries(50));
    await run(1_000);
    expect(upload).toHaveBeenCalledTimes(4);
  });

  it("are asked for in groups of at most 200", async () => {
    hold();
    runner.add(entries(700));
    await run();
    const sizes = known.mock.calls.map(([hashes]) => hashes.length);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(200);
    expect(sizes.length).toBeLessThan(12);
  });

  it("are hashed ahead of the uploads, but not all", async () => {
    hold();
    runner.add(entries(1_000));
    await run();
    expect(inspect.mock.calls.length).toBeGreaterThanOrEqual(400);
    expect(inspect.mock.calls.length).toBeLessThanOrEqual(410);
  });
});

describe("failures", () => {
  it("are repeated with the same key, after the time that the album asks for", async () => {
    upload.mockRejectedValueOnce(busy);
    runner.add([entry("1")]);
    await run(5_900);
    expect(upload).toHaveBeenCalledTimes(1);
    expect(state("1")).toBe("waiting");
    await run(200);
    expect(upload.mock.calls[1]?.[0].key).toBe("1");
    expect(state("1")).toBe("done");
  });

  it("show the album's message, and another key is used to retry", async () => {
    upload.mockRejectedValueOnce(new ApiError("Unsupported image format.", "Unsupported", 415));
    runner.add([entry("1")]);
    await run();
    expect(runner.entries.get("1")).toMatchObject({
      state: "failed",
      failure: { kind: "rejected", reason: "Unsupported image format." },
    });
    runner.retry(["1"]);
    await run();
    expect(upload.mock.calls[1]?.[0].key).toBe("another key");
    expect(state("1")).toBe("done");
  });

  it("of an album that stays busy end, and keep their key", async () => {
    upload.mockRejectedValue(busy);
    runner.add([entry("1")]);
    await run(600_000);
    expect(upload).toHaveBeenCalledTimes(8);
    expect(runner.entries.get("1")?.failure).toEqual({
      kind: "unreachable",
      reason: busy.message,
    });
    upload.mockResolvedValue(stored("1"));
    runner.retry(["1"]);
    await run();
    expect(upload.mock.lastCall?.[0].key).toBe("1");
  });

  it("of one file do not hold up the others", async () => {
    upload.mockRejectedValueOnce(new ApiError("Broken.", "Unprocessable", 422));
    runner.add(entries(3));
    await run();
    expect([state("0"), state("1"), state("2")]).toEqual(["failed", "done", "done"]);
  });

  it("of the question what is known only cost the answer", async () => {
    known.mockRejectedValue(new ApiError("Bad.", "BadRequestError", 400));
    runner.add([entry("1")]);
    await run();
    expect(state("1")).toBe("done");
  });

  it("that nobody expected end with a reason, and can be retried", async () => {
    upload.mockRejectedValueOnce(new TypeError("x is undefined"));
    runner.add([entry("1")]);
    await run();
    expect(runner.entries.get("1")?.failure?.reason).toBe(text.errors.unexpected(0));
  });

  it.each([
    new ApiError("", "SessionEnded", 401),
    new ApiError("Sign in again.", "ForbiddenError", 403),
  ])("of a session ($code) stop the queue, which waits for the next sign-in", async (error) => {
    upload.mockRejectedValue(error);
    runner.add(entries(9));
    await run(60_000);
    expect(upload.mock.calls.length).toBeLessThanOrEqual(4);
    expect([...runner.entries.values()].every((one) => one.state !== "failed")).toBe(true);
  });
});

describe("the network", () => {
  it("interrupts uploads, which continue as soon as it is back", async () => {
    upload.mockRejectedValue(offlineError());
    runner.add([entry("1")]);
    await run(200_000);
    expect(state("1")).toBe("waiting");
    expect(onConnection).toHaveBeenLastCalledWith(false);
    upload.mockReset().mockResolvedValue(stored("1"));
    runner.wake();
    await run();
    expect(state("1")).toBe("done");
    expect(onConnection).toHaveBeenLastCalledWith(true);
  });

  it("does not shorten the time that the album asks for", async () => {
    upload.mockRejectedValueOnce(busy);
    runner.add([entry("1")]);
    await run();
    runner.wake();
    await run(1_000);
    expect(upload).toHaveBeenCalledTimes(1);
  });

  it("may be lost any number of times", async () => {
    for (let count = 0; count < 30; count++) upload.mockRejectedValueOnce(offlineError());
    runner.add([entry("1")]);
    await run(30 * 60_000);
    expect(state("1")).toBe("done");
  });
});

describe("a file that cannot be read", () => {
  it.each(["lost", "locked"] as const)("says so if it is %s", async (kind) => {
    open.mockRejectedValue(new LostFile(kind));
    runner.add([entry("1")]);
    await run();
    expect(runner.entries.get("1")?.failure).toEqual({ kind, reason: text.uploads[kind] });
  });

  it("is distinguished from a lost connection", async () => {
    upload.mockRejectedValueOnce(offlineError());
    isReadable.mockResolvedValue(false);
    forget.mockResolvedValue(false);
    runner.add([entry("1")]);
    await run();
    expect(runner.entries.get("1")?.failure?.kind).toBe("lost");
  });

  it("is read from its copy, if there is one", async () => {
    upload.mockRejectedValueOnce(offlineError());
    isReadable.mockResolvedValue(false);
    forget.mockResolvedValue(true);
    runner.add([entry("1")]);
    await run(1_000);
    expect(state("1")).toBe("done");
  });
});

describe("commands", () => {
  it("cancel a file that is uploaded, and its request", async () => {
    hold();
    runner.add(entries(5));
    await run();
    const signal = upload.mock.calls[0]?.[3];
    runner.remove(["0"]);
    await run();
    expect(signal?.aborted).toBe(true);
    expect(onChange).toHaveBeenCalledWith("0", null);
    expect(state("4")).toBe("uploading"); // in its place
  });

  it("cancel a file that waits", async () => {
    hold();
    runner.add(entries(5));
    await run();
    runner.remove(["4"]);
    expect(runner.entries.has("4")).toBe(false);
    expect(upload).toHaveBeenCalledTimes(4);
  });

  it("stop everything and change nothing, for the next page", async () => {
    hold();
    runner.add(entries(5));
    await run();
    onChange.mockClear();
    runner.stop();
    await run(60_000);
    expect(onChange).not.toHaveBeenCalled();
    expect(state("0")).toBe("uploading");
  });
});

it("continues what an earlier page left: under way, hashed or waiting", async () => {
  runner.add([
    { ...entry("1"), state: "uploading", sha256: "1", isChecked: true },
    { ...entry("2"), state: "processing", isChecked: true, isSent: true, photoId: "p2" },
    { ...entry("3"), sha256: "3" },
    { ...entry("4"), state: "done" },
    entry("5"),
  ]);
  await run();
  expect([...runner.entries.values()].every((one) => one.state === "done")).toBe(true);
  expect(upload.mock.calls.map(([sent]) => [sent.id, sent.isSent])).toEqual([
    ["1", false],
    ["2", true],
    ["3", false],
    ["5", false],
  ]);
  expect(known.mock.calls.flatMap(([hashes]) => hashes)).toEqual(["3", "5"]);
});
