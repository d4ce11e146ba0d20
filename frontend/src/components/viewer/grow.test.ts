// @vitest-environment happy-dom
import { expect, it } from "vitest";

import { thumbnailOf, transformTo } from "./grow";

it("a photo starts where its thumbnail is, as high as the thumbnail", () => {
  const thumbnail = new DOMRect(100, 200, 150, 100);
  const frame = new DOMRect(0, 0, 1200, 800);
  expect(transformTo(thumbnail, frame)).toBe("translate(-425px, -150px) scale(0.125)");
});

it("only a thumbnail that is in the window is a place to grow from", () => {
  document.body.innerHTML = '<main><a href="/#/photos/p1"><img alt=""></a></main>';
  const image = document.querySelector("img");
  if (!image) throw new Error("no image");
  image.getBoundingClientRect = () => new DOMRect(0, 10, 100, 100);
  expect(thumbnailOf("p1")).toBe(image);
  expect(thumbnailOf("p2")).toBeNull();
  image.getBoundingClientRect = () => new DOMRect(0, -500, 100, 100);
  expect(thumbnailOf("p1")).toBeNull();
});
