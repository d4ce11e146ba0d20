/** How files reach the album: small ones in one request, large ones directly to the bucket. */
import { api, data, TOKEN_REJECTED, withSession } from "@/api/client";
import { ApiError } from "@/api/errors";
import { config } from "@/config";
import type { Entry } from "./entry";
import { sendForm, type Answer } from "./form";

/** The body of one request of the API holds 4.5 MB: the image and its form. */
export const LARGEST_REQUEST = 4_400_000;

/** What became of a file: a photo of its own, or one that was there already. */
export interface Outcome {
  photoId: string;
  isDuplicate: boolean;
  isTrashed: boolean;
}

export interface KnownPhoto {
  photoId: string;
  isTrashed: boolean;
}

export interface Progress {
  /** Bytes of the file that have been sent. */
  loaded(bytes: number): void;
  begun(photoId: string): void;
  /** All bytes have arrived; the album makes a photo of them. */
  sent(): void;
  /** The bytes have to be sent again. */
  unsent(): void;
}

export interface Transport {
  /** Return the photos that have one of these hashes, by their hash. Raises ApiError. */
  known(hashes: readonly string[], signal: AbortSignal): Promise<ReadonlyMap<string, KnownPhoto>>;
  /** Upload a file. May be repeated with the same entry: its key makes that safe. Raises ApiError. */
  upload(entry: Entry, file: Blob, progress: Progress, signal: AbortSignal): Promise<Outcome>;
}

export const transport: Transport = {
  async known(hashes, signal) {
    const call = api().POST("/photos/known", { body: { sha256: [...hashes] }, signal });
    const { known } = await data(call);
    return new Map(
      Object.entries(known).map(([hash, { photo_id, trashed }]) => [
        hash,
        { photoId: photo_id, isTrashed: trashed },
      ]),
    );
  },

  upload: (entry, file, progress, signal) =>
    entry.size <= LARGEST_REQUEST
      ? inOneRequest(entry, file, progress, signal)
      : throughBucket(entry, file, progress, signal),
};

async function inOneRequest(
  entry: Entry,
  file: Blob,
  progress: Progress,
  signal: AbortSignal,
): Promise<Outcome> {
  const form = new FormData();
  form.set("filename_orig", entry.name);
  form.set("on_duplicate", "skip");
  form.set("file", file, entry.name);
  const answer = await withSession(
    (token) =>
      sendForm(`${config.api}/photos/file`, form, {
        headers: { Authorization: `Bearer ${token}`, "Idempotency-Key": entry.key },
        signal,
        onProgress: (bytes) => progress.loaded(Math.min(bytes, entry.size)),
        onSent: () => progress.sent(),
      }),
    ({ status, error }) => status === 403 && error().code === TOKEN_REJECTED,
  );
  return outcomeOf(requireSuccess(answer).body as UploadedBody);
}

async function throughBucket(
  entry: Entry,
  file: Blob,
  progress: Progress,
  signal: AbortSignal,
): Promise<Outcome> {
  if (entry.isSent && entry.photoId) {
    try {
      return await complete(entry.photoId, signal);
    } catch (error) {
      // S3 keeps an upload for a day; after that, it is sent again.
      if (!(error instanceof ApiError && error.status === 404)) throw error;
      progress.unsent();
    }
  }
  const started = await begin(entry, signal);
  if (!started.upload) return outcomeOf(started);
  progress.begun(started.photo_id);
  const form = new FormData();
  for (const [name, value] of Object.entries(started.upload.fields)) form.set(name, value);
  form.set("file", file); // S3 ignores the fields after it.
  const answer = await sendForm(started.upload.url, form, {
    signal,
    onProgress: (bytes) => progress.loaded(Math.min(bytes, entry.size)),
  });
  requireBucketSuccess(answer);
  progress.sent();
  return complete(started.photo_id, signal);
}

function begin(entry: Entry, signal: AbortSignal) {
  return data(
    api().POST("/photos/uploads", {
      params: { header: { "Idempotency-Key": entry.key } },
      body: {
        filesize: entry.size,
        filename_orig: entry.name,
        on_duplicate: "skip",
        ...(entry.sha256 && { sha256: entry.sha256 }),
      },
      signal,
    }),
  );
}

async function complete(photoId: string, signal: AbortSignal): Promise<Outcome> {
  const call = api().POST("/photos/uploads/{photo_id}/complete", {
    params: { path: { photo_id: photoId } },
    signal,
  });
  return outcomeOf(await data(call));
}

interface UploadedBody {
  photo_id: string;
  duplicate?: boolean;
  photo?: { trashed_date?: string | null };
}

function outcomeOf({ photo_id, duplicate, photo }: UploadedBody): Outcome {
  return {
    photoId: photo_id,
    isDuplicate: duplicate === true,
    isTrashed: !!photo?.trashed_date,
  };
}

function requireSuccess(answer: Answer): Answer {
  if (answer.status < 200 || answer.status > 299) throw answer.error();
  return answer;
}

/** S3 answers in XML, for programs. Its form expires: with a new one, the file is sent again. */
function requireBucketSuccess(answer: Answer): void {
  if (answer.status >= 200 && answer.status <= 299) return;
  const { message, code, retryAfter } = answer.error();
  throw new ApiError(message, code, answer.status === 403 ? 503 : answer.status, retryAfter);
}
