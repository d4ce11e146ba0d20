/** Images of the tests: small, valid, and each with bytes of its own. */
import { createHash } from "node:crypto";
import { crc32, deflateSync } from "node:zlib";

export interface Image {
  name: string;
  mimeType: string;
  buffer: Buffer;
}

const WIDTH = 6;
const HEIGHT = 4;

/** Return a PNG of one color, which `number` decides; `padding` bytes make it larger. */
export function image(number: number, padding = 0): Image {
  const row = Buffer.from([0, ...Array<number[]>(WIDTH).fill(color(number)).flat()]);
  const header = Buffer.alloc(13);
  header.writeUInt32BE(WIDTH, 0);
  header.writeUInt32BE(HEIGHT, 4);
  header.set([8, 2, 0, 0, 0], 8);
  const buffer = Buffer.concat([
    Buffer.from("\x89PNG\r\n\x1a\n", "latin1"),
    chunk("IHDR", header),
    chunk("tEXt", Buffer.from(`number\0${String(number)}`, "latin1")),
    ...(padding ? [chunk("prVt", Buffer.alloc(padding))] : []),
    chunk("IDAT", deflateSync(Buffer.concat(Array<Buffer>(HEIGHT).fill(row)))),
    chunk("IEND", Buffer.alloc(0)),
  ]);
  return { name: `image-${String(number).padStart(4, "0")}.png`, mimeType: "image/png", buffer };
}

export function images(count: number): Image[] {
  return Array.from({ length: count }, (_, index) => image(index + 1));
}

export function sha256(bytes: Buffer): string {
  return createHash("sha256").update(bytes).digest("hex");
}

function color(number: number): number[] {
  return [number % 256, (number * 7) % 256, (number * 31) % 256];
}

function chunk(type: string, content: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, "latin1"), content]);
  const size = Buffer.alloc(4);
  size.writeUInt32BE(content.length);
  const checksum = Buffer.alloc(4);
  checksum.writeUInt32BE(crc32(body));
  return Buffer.concat([size, body, checksum]);
}
