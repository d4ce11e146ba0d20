import { expect, it } from "vitest";

import { fileSize, number, text } from "./en";

it.each([
  [0, "0 bytes"],
  [999, "999 bytes"],
  [1_000, "1 kB"],
  [2_345_678, "2.35 MB"],
  [45_600_000_000, "45.6 GB"],
  [5e15, "5,000 TB"],
])("shows %d bytes as %s", (bytes, shown) => {
  expect(fileSize(bytes)).toBe(shown);
});

it("separates thousands", () => {
  expect(number(50_000)).toBe("50,000");
});

it("counts one photo in the singular", () => {
  expect(text.photos.count(1)).toBe("1 photo");
  expect(text.photos.count(1_000)).toBe("1,000 photos");
});
