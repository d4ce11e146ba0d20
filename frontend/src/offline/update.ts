/** New versions of the web app: found while a tab is open, and started when the user agrees. */
import { setNotice } from "@/composables/notices";
import { text } from "@/text/en";
import type { ToWorker } from "@/worker/messages";

const CHECK_EVERY_MS = 60 * 60 * 1000;

/** Offer each new version with a button `Reload`. */
export function offerUpdates(
  container: ServiceWorkerContainer,
  registration: ServiceWorkerRegistration,
): void {
  if (registration.waiting && container.controller) offer(container, registration.waiting);
  registration.addEventListener("updatefound", () => {
    const worker = registration.installing;
    worker?.addEventListener("statechange", () => {
      // Without a controller, it is the first version.
      if (worker.state === "installed" && container.controller) offer(container, worker);
    });
  });
  checkRegularly(registration);
}

function offer(container: ServiceWorkerContainer, worker: ServiceWorker): void {
  setNotice("update", {
    message: text.offline.newVersion,
    action: {
      label: text.offline.reload,
      run: () => {
        // Other tabs go on with the old version until they are closed or reloaded.
        container.addEventListener("controllerchange", () => {
          location.reload();
        });
        const message: ToWorker = { type: "activate" };
        worker.postMessage(message);
      },
    },
  });
}

/** Browsers check when a page is opened; an installed web app may be open for weeks. */
function checkRegularly(registration: ServiceWorkerRegistration): void {
  let last = Date.now();
  document.addEventListener("visibilitychange", () => {
    if (document.hidden || Date.now() - last < CHECK_EVERY_MS) return;
    last = Date.now();
    void registration.update().catch(() => undefined);
  });
}
