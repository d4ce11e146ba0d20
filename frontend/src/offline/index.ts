/** The page's side of the service worker. It is loaded after everything that the page needs. */
import { watch } from "vue";

import { isFirstVisit, takeReads } from "@/api/firstReads";
import { ending, isSignedIn } from "@/api/session";
import { isOffline } from "@/composables/connection";
import { removeNotice, setNotice } from "@/composables/notices";
import { text } from "@/text/en";
import type { Connection, ToWorker } from "@/worker/messages";
import { forgetOtherAccount, wipe } from "./private";
import { takeShared } from "./shared";
import { offerUpdates } from "./update";

/** Install the service worker, and keep what it has private to the account. */
export async function startOffline(): Promise<void> {
  // Without a secure context, there is none.
  const container = navigator.serviceWorker as ServiceWorkerContainer | undefined;
  if (!container) return;
  watch(isSignedIn, onSession, { immediate: true, flush: "sync" });
  watch(isOffline, showConnection, { immediate: true });
  // What shows the notice cannot be loaded once the connection is lost.
  import("@/components/AppNotices.vue").catch(() => undefined);
  container.addEventListener("message", ({ data }: MessageEvent<Connection>) => {
    isOffline.value = !data.isOnline;
  });
  const registration = await container
    .register("/sw.js", { updateViaCache: "none" })
    .catch(() => null);
  if (!registration) return; // Blocked by the browser's settings: everything else works.
  offerUpdates(container, registration);
  const { active } = await container.ready;
  if (!isFirstVisit) return;
  if (!container.controller) await once(container, "controllerchange");
  const message: ToWorker = { type: "keep", urls: displayedImages(), reads: await takeReads() };
  active?.postMessage(message);
}

function once(target: EventTarget, name: string): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      resolve();
    };
    target.addEventListener(name, done, { once: true });
  });
}

function onSession(signedIn: boolean): void {
  if (signedIn) void forgetOtherAccount().then(takeShared);
  else if (ending.value && ending.value !== "expired") void wipe();
}

/** Return what was displayed before the worker controlled the page. */
function displayedImages(): string[] {
  return performance
    .getEntriesByType("resource")
    .map(({ name }) => name)
    .filter((name) => name.includes("X-Amz-Signature="));
}

/** Show a notice while the album cannot be reached. */
function showConnection(offline: boolean): void {
  if (offline) setNotice("offline", { message: text.offline.notice });
  else removeNotice("offline");
}
