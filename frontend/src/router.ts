/** The pages, by their fragment. Those of `isPublic` need no session. */
import {
  createRouter,
  createWebHashHistory,
  type RouteLocationNormalized,
  type RouteRecordRaw,
} from "vue-router";
import { watch } from "vue";

import { ending, isBeingDeleted, isSignedIn } from "@/api/session";
import { isReturning } from "@/composables/scrollMemory";
import { text } from "@/text/en";
import PhotosView from "@/views/PhotosView.vue";

declare module "vue-router" {
  interface RouteMeta {
    title?: string;
    isPublic?: boolean;
    /** Shown over the list that it was opened from. */
    isOverlay?: boolean;
    /** A grid of photos, which restores its own position. */
    isList?: boolean;
  }
}

const routes: RouteRecordRaw[] = [
  { path: "/", redirect: "/photos" },
  { path: "/photos", component: PhotosView, meta: { title: text.photos.title, isList: true } },
  {
    path: "/photos/:id",
    component: () => import("@/views/PhotoView.vue"),
    meta: { title: text.photos.photo, isOverlay: true },
    props: true,
  },
  {
    path: "/favorites",
    component: () => import("@/views/FavoritesView.vue"),
    meta: { title: text.favorites.title, isList: true },
  },
  {
    path: "/map",
    component: () => import("@/views/MapView.vue"),
    meta: { title: text.map.title },
  },
  {
    path: "/search",
    component: () => import("@/views/SearchView.vue"),
    meta: { title: text.search.title, isList: true },
  },
  {
    path: "/trash",
    component: () => import("@/views/TrashView.vue"),
    meta: { title: text.trash.title, isList: true },
  },
  {
    path: "/settings",
    component: () => import("@/views/SettingsView.vue"),
    meta: { title: text.settings.title },
  },
  {
    path: "/signin",
    component: () => import("@/views/SignInView.vue"),
    meta: { title: text.signIn.title, isPublic: true },
  },
  {
    path: "/signup",
    component: () => import("@/views/SignUpView.vue"),
    meta: { title: text.signUp.title, isPublic: true },
  },
  {
    path: "/forgot",
    component: () => import("@/views/ForgotView.vue"),
    meta: { title: text.forgot.title, isPublic: true },
  },
  {
    path: "/deletion",
    component: () => import("@/views/DeletionView.vue"),
    meta: { title: text.deletion.title, isPublic: true },
  },
  {
    path: "/:path(.*)*",
    component: () => import("@/views/NotFoundView.vue"),
    meta: { title: text.notFound.title, isPublic: true },
  },
];

export const router = createRouter({
  history: createWebHashHistory(),
  routes,
  // Lists restore their own positions; other pages begin at the top.
  scrollBehavior: (to, from, saved) => {
    isReturning.value = saved !== null;
    if (to.meta.isOverlay || from.meta.isOverlay || (saved && to.meta.isList)) return false;
    return saved ?? { top: 0 };
  },
});

router.beforeEach((to) => {
  if (!isSignedIn.value && !to.meta.isPublic) return signIn(to);
  if (isBeingDeleted.value !== (to.path === "/deletion"))
    return isBeingDeleted.value ? "/deletion" : "/photos";
  // Who is signed in and follows an old link to a form goes to the photos.
  if (isSignedIn.value && ["/signin", "/signup", "/forgot"].includes(to.path)) return "/photos";
  return true;
});

router.afterEach((to) => {
  document.title = to.meta.title ? `${to.meta.title} · ${text.app}` : text.app;
});

/** Leave the page when its session ends, also in another tab; sign-in returns to it. */
watch(isSignedIn, (signedIn) => {
  const current = router.currentRoute.value;
  const needsSession = !current.meta.isPublic || current.path === "/deletion";
  if (!signedIn && needsSession) void router.replace(signIn(current));
});

watch(isBeingDeleted, (deleted) => {
  if (deleted) void router.replace("/deletion");
});

function signIn(to: RouteLocationNormalized) {
  const isOver = ending.value === "signedOut" || ending.value === "accountDeleted";
  const query = isOver || to.fullPath === "/photos" ? {} : { next: to.fullPath };
  return { path: "/signin", query };
}

/** Return the page to show after a sign-in. */
export function pageAfterSignIn(route: RouteLocationNormalized): string {
  const next = route.query.next;
  return typeof next === "string" && next.startsWith("/") ? next : "/photos";
}
