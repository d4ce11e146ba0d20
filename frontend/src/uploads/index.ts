/** Uploads, as the rest of the page sees them. Small: the queue is loaded with its first file. */
import { shallowRef, watch } from "vue";

import { accountId, ending } from "@/api/session";
import { reportError } from "@/composables/status";
import { hasQueue } from "./database";
import type { Candidate } from "./drop";
import type { Queue } from "./view";

/** The queue of the account that is signed in, once there is something in it. */
export const queue = shallowRef<Queue | null>(null);

let opening: Promise<Queue | null> | null = null;

let input: HTMLInputElement | undefined;

/** Ask for files, and upload them. */
export function chooseFiles(): void {
  input?.click();
}

/** In the document, since Safari may otherwise forget it while its owner chooses. */
function createInput(): HTMLInputElement {
  const created = document.createElement("input");
  created.type = "file";
  created.multiple = true;
  created.hidden = true;
  // On a phone, the images open the gallery; on a desktop, not every system knows the others.
  created.accept = "image/*,.heic,.heif,.avif,.tif,.tiff";
  created.addEventListener("change", () => {
    const files = [...(created.files ?? [])];
    created.value = ""; // The same files can be chosen again.
    enqueueFiles(files).catch(reportError);
  });
  document.body.append(created);
  return created;
}

/**
 * Upload files to the account that is signed in. When the promise resolves, they are in the queue
 * and copied, as far as there is room. Without a session, it does nothing.
 */
export function enqueueFiles(files: readonly File[]): Promise<void> {
  return enqueue(files.map((file) => ({ file })));
}

/** Upload files with their handles. */
export async function enqueue(candidates: readonly Candidate[]): Promise<void> {
  if (candidates.length > 0) await (await openForAccount())?.add(candidates);
}

/** Return the number of files that a sign-out would lose. */
export function unfinishedUploads(): number {
  const entries = queue.value?.view.value.entries ?? [];
  return entries.filter(({ state }) => state !== "done" && state !== "known").length;
}

/**
 * Continue what an earlier page or another tab has begun, and follow the session: the queue of an
 * account stops when it is signed out, and then forgets everything.
 */
export function followUploads(): void {
  input ??= createInput();
  watch(accountId, (owner, before) => void changeAccount(owner, before ?? null), {
    immediate: true,
  });
}

async function changeAccount(owner: string | null, before: string | null): Promise<void> {
  if (before) await leaveAccount(before);
  if (!owner || owner !== accountId.value) return;
  followTabs(owner);
  if (await hasQueue(owner)) await openForAccount();
}

async function leaveAccount(before: string): Promise<void> {
  const left = await opening?.catch(() => null);
  opening = queue.value = null;
  channel?.close();
  const isOver = ending.value === "signedOut" || ending.value === "accountDeleted";
  if (!isOver) left?.stop();
  else if (left) await left.clear();
  else if (await hasQueue(before)) {
    const { openStore } = await import("./store");
    await (await openStore()).clear(before);
  }
}

/** Show what another tab uploads as soon as it says so. */
let channel: BroadcastChannel | undefined;
function followTabs(owner: string): void {
  channel?.close();
  channel = new BroadcastChannel(`uploads ${owner}`);
  channel.onmessage = () => void openForAccount();
}

function openForAccount(): Promise<Queue | null> {
  const owner = accountId.value;
  channel?.close();
  if (!owner) return Promise.resolve(null);
  opening ??= import("./queue").then(async ({ openQueue }) => {
    const opened = await openQueue(owner);
    if (accountId.value === owner) queue.value = opened;
    else opened.stop();
    return opened;
  });
  opening.catch(() => (opening = null)); // Without a network, its code could not be loaded.
  return opening;
}
