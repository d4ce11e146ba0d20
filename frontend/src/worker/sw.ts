/** The service worker: which request is answered from where. */
import { announceDownload, download, requestedDownload } from "./downloads";
import { forgetImages, image, isImage, keepImages } from "./images";
import { PRIVATE_CACHES, type ToWorker } from "./messages";
import { forgetReplies, isRead, keepReplies, reply } from "./replies";
import { isShare, receive } from "./shared";
import { activate, file, fileOf, install, prune } from "./shell";

declare const self: ServiceWorkerGlobalScope;

self.addEventListener("install", (event) => {
  event.waitUntil(install());
});

self.addEventListener("activate", (event) => {
  event.waitUntil(activate());
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const path = fileOf(request);
  const downloadId = requestedDownload(request);
  if (path !== null) event.respondWith(file(request, path));
  else if (isImage(request)) event.respondWith(image(event));
  else if (isRead(request)) event.respondWith(reply(event));
  else if (isShare(request)) event.respondWith(receive(request));
  else if (downloadId !== null) event.respondWith(download(downloadId));
  if (request.mode === "navigate") event.waitUntil(prune());
});

self.addEventListener("message", (event) => {
  const message = event.data as ToWorker;
  if (message.type === "activate") event.waitUntil(self.skipWaiting());
  else if (message.type === "wipe") event.waitUntil(wipe());
  else if (message.type === "keep") {
    event.waitUntil(Promise.all([keepReplies(message.reads), keepImages(message.urls)]));
  } else if (message.type === "download") {
    const [port] = event.ports;
    if (port) announceDownload(message.id, message.name, port);
  }
});

async function wipe(): Promise<void> {
  await Promise.all([forgetImages(), forgetReplies(), caches.delete(PRIVATE_CACHES.shared)]);
}
