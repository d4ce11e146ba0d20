import { describe, expect, it } from "vitest";

import type { Photo } from "@/api/types";
import { type Outcome, type ReadOriginal, zipOf } from "./zip";

const GIGABYTE = 1_000_000_000;

function photosOf(...names: string[]): Photo[] {
  return names.map((filename_orig, position) => ({
    id: String(position),
    filename_orig,
    content_type: "image/jpeg",
    taken_date: `2012-07-15T09:46:${String(10 + 2 * position)}+13:00`,
    upload_date: "2026-11-01T10:00:00+00:00",
  })) as Photo[];
}

function zip(photos: readonly Photo[], read: ReadOriginal, abort = new AbortController()) {
  const outcome: Outcome = { failed: [], reason: null };
  const progress: number[] = [];
  const stream = zipOf(photos, read, abort.signal, (done) => progress.push(done), outcome);
  return { stream, outcome, progress, abort };
}

async function bytesOf(stream: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<DataView> {
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  const reader = stream.getReader();
  for (let read = await reader.read(); !read.done; read = await reader.read()) {
    if (read.value.byteLength > 0) chunks.push(read.value);
  }
  return new DataView(await new Blob(chunks).arrayBuffer());
}

interface Listed {
  name: string;
  size: bigint;
  offset: bigint;
  time: string;
  isUtf8: boolean;
}

/** Read the central directory (APPNOTE.TXT 4.3.12), with its zip64 fields (4.5.3). */
function directoryOf(view: DataView): Listed[] {
  const found: Listed[] = [];
  for (let at = 0; at < view.byteLength - 46; at++) {
    if (view.getUint32(at, true) !== 0x02014b50) continue;
    const nameLength = view.getUint16(at + 28, true);
    let extra = at + 46 + nameLength + 4;
    const wide = (value: number) => {
      if (value !== 0xffffffff) return BigInt(value);
      extra += 8;
      return view.getBigUint64(extra - 8, true);
    };
    const size = wide(view.getUint32(at + 24, true));
    wide(view.getUint32(at + 20, true)); // compressed
    const [clock, date] = [view.getUint16(at + 12, true), view.getUint16(at + 14, true)];
    found.push({
      name: new TextDecoder().decode(new Uint8Array(view.buffer, at + 46, nameLength)),
      size,
      offset: wide(view.getUint32(at + 42, true)),
      time: [(date >> 9) + 1980, (date >> 5) & 15, date & 31, clock >> 11, (clock >> 5) & 63]
        .concat((clock & 31) * 2)
        .join(" "),
      isUtf8: (view.getUint16(at + 8, true) & 0x800) !== 0,
    });
  }
  return found;
}

const readName: ReadOriginal = ({ filename_orig }) =>
  Promise.resolve(new Blob([`bytes of ${filename_orig ?? ""}`]));

describe("a zip of photos", () => {
  it("has them in their order, with unique names in UTF-8 and their own local times", async () => {
    const { stream, progress } = zip(photosOf("z.jpg", "été.jpg", "z.jpg"), readName);
    const view = await bytesOf(stream);
    expect(directoryOf(view)).toMatchObject([
      { name: "z.jpg", time: "2012 7 15 9 46 10", isUtf8: true },
      { name: "été.jpg", time: "2012 7 15 9 46 12", isUtf8: true },
      { name: "z (1).jpg", time: "2012 7 15 9 46 14", isUtf8: true },
    ]);
    expect(new TextDecoder().decode(view)).toContain("bytes of été.jpg");
    expect(progress).toEqual([1, 2, 3]);
  });

  it("skips a photo that cannot be read, and lists it", async () => {
    const reason = new Error("gone");
    const { stream, outcome, progress } = zip(
      photosOf("a.jpg", "b.jpg", "c.jpg"),
      (photo, signal) =>
        photo.filename_orig === "b.jpg" ? Promise.reject(reason) : readName(photo, signal),
    );
    const names = directoryOf(await bytesOf(stream)).map(({ name }) => name);
    expect(names).toEqual(["a.jpg", "c.jpg"]);
    expect(outcome).toEqual({ failed: ["b.jpg"], reason });
    expect(progress).toEqual([1, 2, 3]);
  });

  it("fails if no photo can be read", async () => {
    const { stream } = zip(photosOf("a.jpg", "b.jpg"), () => Promise.reject(new Error("gone")));
    await expect(bytesOf(stream)).rejects.toThrow("gone");
  });

  it("fails when it is cancelled, and reads nothing more", async () => {
    const abort = new AbortController();
    const reads: string[] = [];
    const { stream } = zip(
      photosOf("a", "b", "c", "d", "e", "f", "g", "h"),
      (photo, signal) => {
        reads.push(photo.id);
        if (photo.id === "3") abort.abort();
        return readName(photo, signal);
      },
      abort,
    );
    await expect(bytesOf(stream)).rejects.toThrow();
    expect(reads).toEqual(["0", "1", "2", "3"]);
  });

  it("reads photos shortly before they are written", async () => {
    let reads = 0;
    const { stream } = zip(photosOf(..."abcdefghij"), (photo, signal) => {
      reads += 1;
      return readName(photo, signal);
    });
    const reader = stream.getReader();
    await reader.read();
    expect(reads).toBeLessThanOrEqual(5);
    await reader.cancel().catch(() => undefined);
  });

  it("has 64-bit sizes and offsets when it is larger than 4 GB", async () => {
    const { stream } = zip(photosOf("a.jpg", "b.jpg", "c.jpg"), () =>
      Promise.resolve(hugeStream(5 * GIGABYTE)),
    );
    const view = await bytesOf(stream);
    const [a, b, c] = directoryOf(view);
    expect([a?.size, b?.size, c?.size]).toEqual(Array(3).fill(BigInt(5 * GIGABYTE)));
    const entry = BigInt(5 * GIGABYTE + 30 + "a.jpg".length + 24); // with header and descriptor
    expect([a?.offset, b?.offset, c?.offset]).toEqual([0n, entry, 2n * entry]);
    // The end of the central directory in zip64 (4.3.14) counts the entries and has their offset.
    const end = view.byteLength - 22 - 20 - 56;
    expect(view.getUint32(end, true)).toBe(0x06064b50);
    expect(view.getBigUint64(end + 32, true)).toBe(3n);
    expect(view.getBigUint64(end + 48, true)).toBe(3n * entry);
  });
});

/** A stream of one piece that is counted with `size` bytes, and has none to compute or to hold. */
function hugeStream(size: number): ReadableStream<Uint8Array> {
  class Huge extends Uint8Array {
    private counted = false;
    // The checksum asks first, then what adds up the sizes.
    override get length(): number {
      const length = this.counted ? size : 0;
      this.counted = true;
      return length;
    }
  }
  return new ReadableStream({
    start(controller) {
      controller.enqueue(new Huge(0));
      controller.close();
    },
  });
}
