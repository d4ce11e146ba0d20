import { expect, it } from "vitest";

import { newEntry, next } from "./entry";
import { matchLost } from "./lost";
import { sift } from "./sift";

function file(name: string, type = "", lastModified = 1): { file: File } {
  return { file: new File(["x"], name, { type, lastModified }) };
}

it("takes images by their type or their extension, since not every system knows HEIC", () => {
  const photos = [file("a", "image/jpeg"), file("b.HEIC"), file("c.tif"), file("d.jpeg")];
  expect(sift(photos)).toEqual({ photos, others: [] });
});

it("names what is no photo, and keeps quiet about what systems put into folders", () => {
  const others = [file("film.mp4", "video/mp4"), file("notes.txt", "text/plain"), file("b")];
  const clutter = [file(".DS_Store"), file("Thumbs.db"), file("desktop.ini"), file("._a.jpg")];
  expect(sift([...others, ...clutter])).toEqual({
    photos: [],
    others: ["film.mp4", "notes.txt", "b"],
  });
});

it("recognizes a file that is dropped again, but not another one of its name", () => {
  const again = file("sea.jpg", "image/jpeg", 5);
  const other = file("sea.jpg", "image/jpeg", 6);
  const entry = newEntry(again.file, "mario", 1, "a");
  const lost = next(entry, { type: "failed", kind: "lost", reason: "Gone." });
  expect([...matchLost([lost], [other, again])]).toEqual([[again, lost]]);
  expect(matchLost([entry], [again]).size).toBe(0);
});
