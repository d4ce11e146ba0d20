import { describe, expect, it } from "vitest";

import { ApiError } from "@/api/errors";
import type { Photo } from "@/api/types";
import {
  changesOf,
  draftOf,
  errorsOf,
  fieldOf,
  hasDraft,
  keepDraft,
  reverseOf,
  takeDraft,
} from "./draft";

const photo = {
  id: "p1",
  desc: "A red car",
  tags: "sea,sun",
  taken_date: "2026-11-03T10:00:05+13:00",
  address: null,
  city: "Lisbon",
  nation: "Portugal",
  geotag_lat: 0,
  geotag_lng: -9.5,
} as Photo;
const draft = draftOf(photo);

describe("the fields of a photo", () => {
  it("show what it has, with 0° as a position", () => {
    expect(draft).toEqual({
      desc: "A red car",
      tags: "sea, sun",
      date: "2026-11-03 10:00:05",
      place: "Lisbon, Portugal",
      latitude: "0",
      longitude: "-9.5",
    });
  });

  it("send nothing when nothing was changed", () => {
    expect(changesOf({ ...draft }, photo)).toEqual({});
  });

  it.each([
    ["desc", { desc: "A blue car" }, { desc: "A blue car" }],
    ["desc, cleared", { desc: " " }, { desc: null }],
    ["tags", { tags: " sea ,, wind " }, { tags: "sea,wind" }],
    ["tags, cleared", { tags: "" }, { tags: null }],
    ["date", { date: "2026-11-04 9:00" }, undefined],
    ["date", { date: "2026-11-04 09:00" }, { taken_date: "2026-11-04T09:00:00+13:00" }],
    ["date, cleared", { date: "" }, { taken_date: null }],
    ["place", { place: "Porto, Portugal" }, { city: "Porto" }],
    ["place, cleared", { place: "" }, { city: null, nation: null }],
    ["position", { latitude: "38,72" }, { geotag_lat: 38.72, geotag_lng: -9.5 }],
    ["position, removed", { latitude: "", longitude: "" }, { geotag_lat: null, geotag_lng: null }],
  ])("send only what was changed: %s", (_, typed, sent) => {
    const changed = { ...draft, ...typed };
    if (sent) expect(errorsOf(changed)).toEqual({});
    if (sent) expect(changesOf(changed, photo)).toEqual(sent);
    else expect(Object.keys(errorsOf(changed))).toEqual(["date"]);
  });
});

describe("errors", () => {
  it.each([
    [{ date: "2026-02-30" }, ["date"]],
    [{ latitude: "" }, ["latitude"]],
    [{ longitude: "east" }, ["longitude"]],
    [{ latitude: "90.1", longitude: "-180.5" }, ["latitude", "longitude"]],
    [{ latitude: "-90", longitude: "180" }, []],
  ])("of %o are next to %o", (typed, fields) => {
    expect(Object.keys(errorsOf({ ...draft, ...typed }))).toEqual(fields);
  });

  it("of the album are next to the field that they name", () => {
    const error = new ApiError("tags must be at most 50 tags.", "BadRequestError", 400);
    expect(fieldOf(error)).toEqual({ tags: error.message });
    const date = new ApiError("taken_date must be a real calendar date.", "BadRequestError", 400);
    expect(fieldOf(date)).toEqual({ date: date.message });
    expect(fieldOf(new ApiError("Busy.", "ServiceUnavailableError", 503))).toBeNull();
    expect(fieldOf(new ApiError("Unknown.", "BadRequestError", 400))).toBeNull();
  });
});

it("changes can be undone", () => {
  const changes = { desc: "x", tags: "y", geotag_lat: 1, geotag_lng: 2, city: null };
  expect(reverseOf(changes, { ...photo, tags: "" })).toEqual({
    desc: "A red car",
    tags: null,
    geotag_lat: 0,
    geotag_lng: -9.5,
    city: "Lisbon",
  });
});

it("a draft is kept when a session ends, and is there once", () => {
  keepDraft("p1", { ...draft, desc: "Half a sentence" });
  expect(hasDraft("p1")).toBe(true);
  expect(takeDraft("p1")?.desc).toBe("Half a sentence");
  expect(hasDraft("p1")).toBe(false);
});
