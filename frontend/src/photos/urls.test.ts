import { expect, it } from "vitest";

import { forgetUrl, stableUrl } from "./urls";

it("keeps the first URL of an image when it is signed again", () => {
  expect(stableUrl("https://bucket/a.jpg?X-Amz-Signature=1")).toBe(
    "https://bucket/a.jpg?X-Amz-Signature=1",
  );
  expect(stableUrl("https://bucket/a.jpg?X-Amz-Signature=2")).toBe(
    "https://bucket/a.jpg?X-Amz-Signature=1",
  );
  expect(stableUrl("https://bucket/b.jpg?X-Amz-Signature=2")).toBe(
    "https://bucket/b.jpg?X-Amz-Signature=2",
  );
});

it("takes the next URL after one that no longer works", () => {
  stableUrl("https://bucket/c.jpg?X-Amz-Signature=1");
  forgetUrl("https://bucket/c.jpg?X-Amz-Signature=1");
  expect(stableUrl("https://bucket/c.jpg?X-Amz-Signature=2")).toBe(
    "https://bucket/c.jpg?X-Amz-Signature=2",
  );
});

it("stays bounded", () => {
  stableUrl("https://bucket/old.jpg?1");
  for (let index = 0; index < 10_000; index++) stableUrl(`https://bucket/${String(index)}?1`);
  expect(stableUrl("https://bucket/old.jpg?2")).toBe("https://bucket/old.jpg?2");
});
