/**
 * What the album answers before the service worker is there to keep it: the first visit must be
 * enough to see the same offline.
 */
import type { FirstRead } from "@/worker/messages";

const MOST = 20;

/** Whether the page was opened without the service worker. */
export const isFirstVisit = !isControlled();

let reads: Promise<FirstRead | null>[] = [];

function isControlled(): boolean {
  // Without a secure context, there is no service worker.
  const container = navigator.serviceWorker as ServiceWorkerContainer | undefined;
  return !container || container.controller !== null;
}

/** Remember the response to a read that the service worker does not see. */
export function rememberRead(request: Request, response: Promise<Response>): void {
  const authorization = request.headers.get("Authorization");
  if (!isFirstVisit || isControlled() || reads.length === MOST) return;
  if (request.method !== "GET" || !authorization) return;
  const { url } = request;
  const read = response.then(async (arrived) => {
    return arrived.ok ? { url, authorization, body: await arrived.clone().text() } : null;
  });
  reads.push(read.catch(() => null));
}

/** Return what was remembered, once all of it has arrived, and forget it. */
export async function takeReads(): Promise<FirstRead[]> {
  const taken = reads;
  reads = [];
  return (await Promise.all(taken)).filter((read) => read !== null);
}

/** Forget what was remembered: the account has signed out. */
export function forgetReads(): void {
  reads = [];
}
