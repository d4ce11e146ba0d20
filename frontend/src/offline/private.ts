/** What is kept of an account's photos in this browser, deleted with its session. */
import { forgetReads } from "@/api/firstReads";
import { accountId } from "@/api/session";
import { INDEX_DATABASE, PRIVATE_CACHES, type ToWorker } from "@/worker/messages";

/** The account whose photos are kept. */
const KEY = "offlineAccount";

/** Delete all kept photos and lists. */
export async function wipe(): Promise<void> {
  forgetAccount();
  forgetReads();
  const worker = await activeWorker();
  const message: ToWorker = { type: "wipe" };
  // The worker also drops what it is storing at this moment.
  worker?.postMessage(message);
  await Promise.all(Object.values(PRIVATE_CACHES).map((name) => caches.delete(name)));
  if (!worker) indexedDB.deleteDatabase(INDEX_DATABASE);
}

/** Delete what another account has left, whose session ended without signing out. */
export async function forgetOtherAccount(): Promise<void> {
  const account = accountId.value;
  if (!account) return;
  const last = localStorage.getItem(KEY);
  if (last === account) return;
  if (last) await wipe();
  localStorage.setItem(KEY, account);
}

async function activeWorker(): Promise<ServiceWorker | null> {
  const registration = await navigator.serviceWorker.getRegistration();
  return registration?.active ?? null;
}

function forgetAccount(): void {
  try {
    localStorage.removeItem(KEY);
  } catch {
    // Nothing was stored.
  }
}
