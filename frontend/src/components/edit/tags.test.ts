import { describe, expect, it } from "vitest";

import { complete, splitTags, suggest } from "./tags";

const all = [
  { tag: "sea", count: 3 },
  { tag: "Seaside", count: 9 },
  { tag: "overseas", count: 99 },
  { tag: "sun", count: 5 },
];

it("tags are separated by commas, and each is there once", () => {
  expect(splitTags(" sea ,, Sun,SEA, ")).toEqual(["sea", "Sun"]);
});

describe("suggestions", () => {
  it("begin with what is typed last, the most frequent first, then contain it", () => {
    expect(suggest("car, SE", all)).toEqual(["Seaside", "sea", "overseas"]);
  });

  it("are the most frequent tags when nothing is typed", () => {
    expect(suggest("", all)).toEqual(["overseas", "Seaside", "sun", "sea"]);
  });

  it("leave out the tags that the photo has", () => {
    expect(suggest("sea, s", all)).toEqual(["Seaside", "sun", "overseas"]);
  });

  it("replace what is typed last", () => {
    expect(complete("car, se", "sea")).toBe("car, sea, ");
    expect(complete("se", "sea")).toBe("sea, ");
    expect(complete("car,", "sea")).toBe("car, sea, ");
  });
});
