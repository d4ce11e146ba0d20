/**
 * Whether a phone erased a photo's position before the browser got the file.
 *
 * The rule: a JPEG whose EXIF has the tags GPSLatitude and GPSLongitude, with only zeros in both.
 * Android overwrites their values and leaves the tags; 0/0 is no position, not even 0° (0/1).
 */
const APP1 = 0xffe1;
const START_OF_SCAN = 0xffda;
const EXIF = 0x45786966;
const GPS_POINTER = 0x8825;
const LATITUDE = 2;
const LONGITUDE = 4;
const RATIONALS = 24; // bytes: degrees, minutes and seconds

export function isPositionErased(jpeg: DataView): boolean {
  try {
    const tiff = exifOf(jpeg);
    return tiff !== null && hasErasedPosition(tiff);
  } catch {
    return false; // Offsets beyond the end: the album reports damaged files.
  }
}

/** Return the TIFF structure of a JPEG's EXIF segment. */
function exifOf(jpeg: DataView): DataView | null {
  if (jpeg.byteLength < 4 || jpeg.getUint16(0) !== 0xffd8) return null;
  let offset = 2;
  while (offset + 10 < jpeg.byteLength) {
    const marker = jpeg.getUint16(offset);
    const size = jpeg.getUint16(offset + 2);
    if (marker === START_OF_SCAN || marker < 0xff00) return null;
    if (marker === APP1 && jpeg.getUint32(offset + 4) === EXIF) {
      return new DataView(jpeg.buffer, jpeg.byteOffset + offset + 10, size - 8);
    }
    offset += 2 + size;
  }
  return null;
}

function hasErasedPosition(tiff: DataView): boolean {
  const isLittle = tiff.getUint16(0) === 0x4949;
  const pointer = valueOf(tiff, tiff.getUint32(4, isLittle), GPS_POINTER, isLittle);
  if (pointer === null) return false;
  return [LATITUDE, LONGITUDE].every((tag) => {
    const offset = valueOf(tiff, pointer, tag, isLittle);
    if (offset === null) return false;
    const bytes = new Uint8Array(tiff.buffer, tiff.byteOffset + offset, RATIONALS);
    return bytes.every((byte) => byte === 0);
  });
}

/** Return the value of a tag in a directory: for long values, their offset. */
function valueOf(tiff: DataView, directory: number, tag: number, isLittle: boolean): number | null {
  const count = tiff.getUint16(directory, isLittle);
  for (let index = 0; index < count; index++) {
    const field = directory + 2 + index * 12;
    if (tiff.getUint16(field, isLittle) === tag) return tiff.getUint32(field + 8, isLittle);
  }
  return null;
}
