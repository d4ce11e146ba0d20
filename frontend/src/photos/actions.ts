/** What people do with photos, one or many: in batches, with `Undo` where it can be undone. */
import { shallowRef } from "vue";

import { api, data } from "@/api/client";
import { ApiError } from "@/api/errors";
import type { BatchRequest, BatchResult } from "@/api/types";
import { report, reportError } from "@/composables/status";
import { text } from "@/text/en";
import type { PhotoSource } from "./source";

type Action = BatchRequest["action"];
export type SendBatch = (request: BatchRequest) => Promise<BatchResult>;

const LARGEST_BATCH = 200;
const ATTEMPTS = 4;

/** Increases when photos were added or put back, so that lists are read again. */
export const changes = shallowRef(0);

/** Have the lists read again. */
export function announceChange(): void {
  changes.value += 1;
}

const sendToApi: SendBatch = (body) => data(api().POST("/photos/batch", { body }));

/**
 * Run an action on photos, in as many requests as it takes, and return the photos that failed.
 * Raises ApiError if the album cannot be reached.
 */
export async function runBatch(
  action: Action,
  ids: readonly string[],
  tags?: string,
  send: SendBatch = sendToApi,
): Promise<BatchResult["failed"]> {
  const failed: BatchResult["failed"] = [];
  let waiting = [...ids];
  let attempt = 1;
  while (waiting.length > 0) {
    const batch = waiting.slice(0, LARGEST_BATCH);
    try {
      const request = { ids: batch, action, ...(tags !== undefined && { tags }) };
      const result = await send(request);
      failed.push(...result.failed);
      waiting = [...result.remaining, ...waiting.slice(LARGEST_BATCH)];
      if (result.remaining.length < batch.length) attempt = 1;
      else await pause(attempt++, null);
    } catch (error) {
      // Every action is safe to repeat.
      if (!(error instanceof ApiError && error.isTemporary)) throw error;
      await pause(attempt++, error);
    }
  }
  return failed;
}

/** Wait before the next attempt. Raises the error if there were enough. */
async function pause(attempt: number, error: ApiError | null): Promise<void> {
  const seconds = error?.retryAfter ?? 2 ** (attempt - 1);
  if (attempt >= ATTEMPTS || seconds > 60)
    throw error ?? new ApiError(text.errors.busy, "Busy", 503);
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
}

/** Move photos out of a list into the trash; the message has `Undo`. */
export async function moveToTrash(ids: readonly string[], source: PhotoSource): Promise<void> {
  await takeOut(ids, source, "trash", text.trash.moved(ids.length), () => restore(ids));
}

/** Put photos back from the trash; the message has `Undo`. */
export async function restoreFrom(ids: readonly string[], source: PhotoSource): Promise<void> {
  await takeOut(ids, source, "restore", text.trash.restored(ids.length), async () => {
    await requireAll(runBatch("trash", ids));
    announceChange();
  });
}

/** Delete photos permanently: ask before. */
export async function deletePermanently(
  ids: readonly string[],
  source: PhotoSource,
): Promise<void> {
  await takeOut(ids, source, "delete", text.trash.deleted(ids.length));
}

/** Empty the trash, in as many requests as it takes. Raises ApiError. */
export async function emptyTrash(onProgress: (left: number) => void): Promise<void> {
  for (;;) {
    const result = await data(api().DELETE("/photos/trash"));
    if (!("remaining" in result)) break;
    onProgress(result.remaining);
  }
}

/** Mark photos as favorites, or no longer. Raises ApiError. */
export async function setFavorite(ids: readonly string[], favorite: boolean): Promise<void> {
  await requireAll(runBatch(favorite ? "favorite" : "unfavorite", ids));
}

async function restore(ids: readonly string[]): Promise<void> {
  await requireAll(runBatch("restore", ids));
  announceChange();
}

/** Remove photos from the list at once, then do what removes them; a failure shows them again. */
async function takeOut(
  ids: readonly string[],
  source: PhotoSource,
  action: Action,
  message: string,
  undo?: () => Promise<void>,
): Promise<void> {
  source.remove(ids);
  try {
    await requireAll(runBatch(action, ids));
    report(message, undo);
  } catch (error) {
    reportError(error);
    await source.refresh();
  }
}

/** Raise the first failure, if there is one. */
async function requireAll(running: Promise<BatchResult["failed"]>): Promise<void> {
  const [failure] = await running;
  if (failure) throw new ApiError(failure.Message, failure.Code, 400);
}
