/** Whether the album can be reached, as far as the browser and the service worker know. */
import { shallowRef } from "vue";

export const isOffline = shallowRef(!navigator.onLine);

window.addEventListener("offline", () => (isOffline.value = true));
window.addEventListener("online", () => (isOffline.value = false));
