import { expect, it } from "vitest";

import { isPositionErased } from "./exif";

const LATITUDE = 2;
const LONGITUDE = 4;

/** Return a JPEG whose EXIF has these GPS tags, each with three rationals. */
function jpeg(tags: Record<number, number[]>, isLittle = true): DataView {
  const numbers = Object.keys(tags).map(Number);
  const values = 8 + 18 + 2 + numbers.length * 12 + 4;
  const tiff = new DataView(new ArrayBuffer(values + numbers.length * 24));
  tiff.setUint16(0, isLittle ? 0x4949 : 0x4d4d);
  tiff.setUint16(2, 42, isLittle);
  tiff.setUint32(4, 8, isLittle);
  tiff.setUint16(8, 1, isLittle); // one tag: where the GPS directory is
  field(10, 0x8825, 4, 1, 26);
  tiff.setUint16(26, numbers.length, isLittle);
  numbers.forEach((tag, index) => {
    const offset = values + index * 24;
    field(28 + index * 12, tag, 5, 3, offset);
    tags[tag]?.forEach((part, at) => tiff.setUint32(offset + at * 4, part, isLittle));
  });
  const head = [0xff, 0xd8, 0xff, 0xe0, 0, 4, 0, 0, 0xff, 0xe1, 0, 0, ...bytes("Exif"), 0, 0];
  const all = Uint8Array.from([...head, ...new Uint8Array(tiff.buffer), 0xff, 0xda, 0, 2]);
  const view = new DataView(all.buffer);
  view.setUint16(10, tiff.byteLength + 8);
  return view;

  function field(at: number, tag: number, type: number, count: number, value: number): void {
    tiff.setUint16(at, tag, isLittle);
    tiff.setUint16(at + 2, type, isLittle);
    tiff.setUint32(at + 4, count, isLittle);
    tiff.setUint32(at + 8, value, isLittle);
  }
}

function bytes(word: string): number[] {
  return [...word].map((letter) => letter.charCodeAt(0));
}

const erased = [0, 0, 0, 0, 0, 0];
const seoul = [37, 1, 33, 1, 0, 1];
const zero = [0, 1, 0, 1, 0, 1];

it.each([true, false])("recognizes a position that a phone has overwritten (little: %s)", (is) => {
  expect(isPositionErased(jpeg({ [LATITUDE]: erased, [LONGITUDE]: erased }, is))).toBe(true);
});

it.each([
  ["a photo with a position", jpeg({ [LATITUDE]: seoul, [LONGITUDE]: seoul })],
  ["a photo at 0° north, 0° east", jpeg({ [LATITUDE]: zero, [LONGITUDE]: zero })],
  ["a photo on the equator", jpeg({ [LATITUDE]: zero, [LONGITUDE]: seoul })],
  ["a photo that never had a position", jpeg({})],
  ["half a position", jpeg({ [LATITUDE]: erased })],
  ["another format", new DataView(Uint8Array.from(bytes("\x89PNG....")).buffer)],
  ["an empty file", new DataView(new ArrayBuffer(0))],
])("finds nothing erased in %s", (_, view) => {
  expect(isPositionErased(view)).toBe(false);
});

it("survives a file that ends too early, anywhere", () => {
  const whole = jpeg({ [LATITUDE]: erased, [LONGITUDE]: erased });
  for (let size = 0; size < whole.byteLength; size++) {
    expect(() => isPositionErased(new DataView(whole.buffer.slice(0, size)))).not.toThrow();
  }
});
