/** A zip of originals, made while it is read: the next ones load while one is written. */
import { makeZip } from "client-zip";

import type { Photo } from "@/api/types";
import { localTime, uniqueNames } from "./names";

/** Loaded at a time; each has at most 100 MB. */
const AHEAD = 3;

export interface Outcome {
  /** The names of the photos that are missing in the zip. */
  failed: string[];
  /** Why the first of them is missing. */
  reason: unknown;
}

export type ReadOriginal = (photo: Photo, signal: AbortSignal) => Promise<Input>;
type Input = Blob | ReadableStream<Uint8Array>;

interface File {
  name: string;
  input: Input;
  lastModified: Date;
}

/**
 * Return the zip as a stream. A photo that cannot be read is skipped and added to `outcome`; if
 * there is none left, or `signal` is aborted, the stream fails.
 */
export function zipOf(
  photos: readonly Photo[],
  read: ReadOriginal,
  signal: AbortSignal,
  onProgress: (done: number) => void,
  outcome: Outcome,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  const files = filesOf(photos, read, signal, onProgress, outcome);
  return makeZip(files) as ReadableStream<Uint8Array<ArrayBuffer>>;
}

async function* filesOf(
  photos: readonly Photo[],
  read: ReadOriginal,
  signal: AbortSignal,
  onProgress: (done: number) => void,
  outcome: Outcome,
): AsyncGenerator<File> {
  const names = uniqueNames(photos);
  const loading: Promise<Input | Failure>[] = [];
  const start = (photo: Photo | undefined) => {
    if (photo) loading.push(read(photo, signal).catch((reason: unknown) => new Failure(reason)));
  };
  photos.slice(0, AHEAD).forEach(start);
  for (const [position, photo] of photos.entries()) {
    const input = (await loading.shift()) ?? new Failure(null);
    signal.throwIfAborted();
    start(photos[position + AHEAD]);
    const name = names[position] ?? "";
    if (input instanceof Failure) {
      outcome.failed.push(name);
      outcome.reason ??= input.reason;
      if (outcome.failed.length === photos.length) throw outcome.reason;
    } else yield { name, input, lastModified: localTime(photo) };
    onProgress(position + 1);
  }
}

class Failure {
  constructor(readonly reason: unknown) {}
}
