import { describe, expect, it } from "vitest";

import { isOver, newEntry, next, type Entry, type Event, type State } from "./entry";

const file = { name: "sea.jpg", size: 10, type: "image/jpeg", lastModified: 5 };
const waiting = newEntry(file, "mario", 1, "id-1");
const found: Event = { type: "found", photoId: "p1", isTrashed: true };
const rejected: Event = { type: "failed", kind: "rejected", reason: "Too large." };

function after(...events: Event[]): Entry {
  return events.reduce(next, waiting);
}

const uploading = after({ type: "started" });
const processing = after({ type: "started" }, { type: "sent" });
const done = after({ type: "started" }, { type: "stored", photoId: "p1" });
const known = after(found);
const failed = after(rejected);

it("begins as waiting, with its ID as its Idempotency-Key", () => {
  expect(waiting).toMatchObject({ state: "waiting", key: "id-1", name: "sea.jpg", modified: 5 });
});

const transitions: [string, Entry, Event, State][] = [
  ["a waiting file that is hashed", waiting, hashed("ab"), "waiting"],
  ["a waiting file that the album does not know", waiting, { type: "checked" }, "waiting"],
  ["a waiting file that the album knows", waiting, found, "known"],
  ["a waiting file whose turn it is", waiting, { type: "started" }, "uploading"],
  ["an upload that has begun", uploading, { type: "begun", photoId: "p1" }, "uploading"],
  ["an upload whose bytes have arrived", uploading, { type: "sent" }, "processing"],
  ["an upload that is interrupted", uploading, { type: "interrupted" }, "waiting"],
  ["an upload that succeeds", uploading, { type: "stored", photoId: "p1" }, "done"],
  ["an upload that finds a duplicate", uploading, found, "known"],
  ["an upload that fails", uploading, rejected, "failed"],
  ["processing that succeeds", processing, { type: "stored", photoId: "p1" }, "done"],
  ["processing that finds a duplicate", processing, found, "known"],
  ["processing that is interrupted", processing, { type: "interrupted" }, "waiting"],
  ["processing that needs the bytes again", processing, { type: "unsent" }, "uploading"],
  ["processing that fails", processing, rejected, "failed"],
  ["a failed file that is retried", failed, { type: "retried", key: "id-2" }, "waiting"],
];
it.each(transitions)("%s", (_, entry, event, state) => {
  expect(next(entry, event).state).toBe(state);
});

const late: Event[] = [
  hashed("cd"),
  { type: "checked" },
  { type: "started" },
  { type: "begun", photoId: "p2" },
  { type: "sent" },
  { type: "unsent" },
  { type: "interrupted" },
  { type: "stored", photoId: "p2" },
  { type: "found", photoId: "p2", isTrashed: false },
  { type: "failed", kind: "unreachable", reason: "Busy." },
];
it.each([done, known, failed])("a file that is $state ignores everything late", (entry) => {
  expect(isOver(entry)).toBe(true);
  for (const event of late) expect(next(entry, event)).toBe(entry);
});

it.each([waiting, uploading, done, known])("a file that is $state cannot be retried", (entry) => {
  expect(next(entry, { type: "retried", key: "id-2" })).toBe(entry);
});

it("a waiting file ignores what belongs to an upload", () => {
  for (const type of ["sent", "unsent", "interrupted"] as const) {
    expect(next(waiting, { type })).toBe(waiting);
  }
  expect(next(waiting, { type: "stored", photoId: "p1" })).toBe(waiting);
});

it("an upload ignores what belongs to a waiting file", () => {
  for (const event of [hashed("cd"), { type: "checked" }, { type: "started" }] as Event[]) {
    expect(next(uploading, event)).toBe(uploading);
  }
});

describe("what a file remembers", () => {
  it("keeps its hash and the photo that has its bytes", () => {
    expect(after(hashed("ab"), found)).toMatchObject({
      sha256: "ab",
      photoId: "p1",
      isTrashed: true,
    });
  });

  it("goes on with the completion once the bucket has its bytes", () => {
    const sent = after({ type: "started" }, { type: "begun", photoId: "p1" }, { type: "sent" });
    const resumed = next(next(sent, { type: "interrupted" }), { type: "started" });
    expect(resumed).toMatchObject({ state: "processing", isSent: true, photoId: "p1" });
  });

  it("sends the whole request again if it was sent in one", () => {
    const resumed = next(next(processing, { type: "interrupted" }), { type: "started" });
    expect(resumed).toMatchObject({ state: "uploading", isSent: false });
  });

  it("keeps its key when the album could not be reached, since it may have the photo", () => {
    const unreachable = after({ type: "failed", kind: "unreachable", reason: "Busy." });
    expect(next(unreachable, { type: "retried", key: "id-2" }).key).toBe("id-1");
  });

  it("gets another key after it was rejected, and begins at the start", () => {
    const begun = after(
      { type: "checked" },
      { type: "started" },
      { type: "begun", photoId: "p1" },
      { type: "sent" },
      rejected,
    );
    expect(next(begun, { type: "retried", key: "id-2" })).toMatchObject({
      key: "id-2",
      failure: null,
      isChecked: false,
      isSent: false,
      photoId: null,
    });
  });

  it("is no longer in the trash once it is restored", () => {
    expect(next(known, { type: "restored" })).toMatchObject({ state: "known", isTrashed: false });
    expect(next(done, { type: "restored" })).toBe(done);
  });

  it("is saved in any state", () => {
    for (const entry of [waiting, uploading, failed]) {
      expect(next(entry, { type: "saved" })).toEqual({ ...entry, isSaved: true });
    }
  });
});

function hashed(sha256: string): Event {
  return { type: "hashed", sha256, lacksPosition: false };
}
