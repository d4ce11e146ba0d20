import { expect, it } from "vitest";

import { fileName, localTime, uniqueNames } from "./names";

const photo = (filename_orig: string | null, content_type = "image/jpeg") => ({
  filename_orig,
  content_type,
});

it("keeps a photo's own file name, in any language", () => {
  for (const name of ["IMG_1.jpg", "été à Nîmes.HEIC", "山.png", "👩‍🚀.jpg"]) {
    expect(fileName(photo(name))).toBe(name);
  }
});

it("replaces what a file system does not allow, and cannot lead out of a folder", () => {
  expect(fileName(photo("../../etc/passwd"))).toBe("_.._etc_passwd");
  expect(fileName(photo('a\\b:c*d?"e<f>|.jpg'))).toBe("a_b_c_d__e_f__.jpg");
  expect(fileName(photo("a\u0000\n\u202egpj.exe. "))).toBe("a___gpj.exe");
  expect(fileName(photo("\ud800.jpg"))).toBe("_.jpg");
});

it("names a photo without a name by its type", () => {
  expect(fileName(photo(null, "image/heic"))).toBe("photo.heic");
  expect(fileName(photo(" . ", "image/x"))).toBe("photo.bin");
});

it("numbers photos of the same name, and never uses a name twice", () => {
  const names = [
    "IMG_1.jpg",
    "IMG_1.jpg",
    "img_1.JPG",
    "IMG_1 (1).jpg",
    "a",
    "a",
    ".b",
    "é",
    "e\u0301",
  ];
  expect(uniqueNames(names.map((name) => photo(name)))).toEqual([
    "IMG_1.jpg",
    "IMG_1 (1).jpg",
    "img_1 (2).JPG",
    "IMG_1 (1) (1).jpg",
    "a",
    "a (1)",
    "b",
    "é",
    "e\u0301 (1)",
  ]);
});

it("gives the time that a clock at the photo's place showed, wherever the browser is", () => {
  const upload_date = "2026-11-01T10:00:00+00:00";
  for (const zone of ["", "+13:00", "-11:00", "Z"]) {
    const time = localTime({ taken_date: `2012-07-15T09:46:46${zone}`, upload_date });
    expect(time).toEqual(new Date(2012, 6, 15, 9, 46, 46));
  }
  expect(localTime({ taken_date: null, upload_date })).toEqual(new Date(upload_date));
});

it("gives the nearest year that a zip can have", () => {
  const upload_date = "2026-11-01T10:00:00+00:00";
  const time = localTime({ taken_date: "1890-05-01T00:00:00", upload_date });
  expect(time).toEqual(new Date(1980, 0, 1));
});
