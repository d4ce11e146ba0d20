/** The tokens of this browser's session: kept in local storage, renewed when they are due. */
import { computed, shallowRef } from "vue";

import { config } from "@/config";
import { accountOf } from "@/worker/account";
import { ApiError, errorOf, offlineError } from "./errors";

export interface Session {
  accessToken: string;
  refreshToken: string;
  /** Milliseconds since 1970. */
  expiresAt: number;
}

/** Why there is no session: the sign-in page explains it. */
export type Ending = "expired" | "passwordChanged" | "accountDeleted" | "signedOut" | null;

const KEY = "session";
const RENEW_BEFORE_MS = 60_000;

const session = shallowRef<Session | null>(read());
export const ending = shallowRef<Ending>(null);
export const isSignedIn = computed(() => session.value !== null);
/** The user ID of the account that is signed in, as its access token has it; null without one. */
export const accountId = computed(() => session.value && accountOf(session.value.accessToken));
/** Whether the account is being deleted: the album then allows it only to finish that. */
export const isBeingDeleted = shallowRef(false);

/** Sign in or out here, too, when another tab does. */
export function followOtherTabs(): void {
  window.addEventListener("storage", (event) => {
    if (event.key === KEY || event.key === null) session.value = read();
  });
}

/** Start a session with the tokens of a sign-in or a renewal. */
export function startSession(tokens: {
  accessToken: string;
  refreshToken: string;
  expiresIn: number;
}): Session {
  const started = {
    accessToken: tokens.accessToken,
    refreshToken: tokens.refreshToken,
    expiresAt: Date.now() + tokens.expiresIn * 1000,
  };
  session.value = started;
  ending.value = null;
  try {
    localStorage.setItem(KEY, JSON.stringify(started));
  } catch {
    // Storage may be blocked or full; the session then ends with the tab.
  }
  return started;
}

/** Forget the tokens, for the reason that the sign-in page explains. */
export function endSession(why: Exclude<Ending, null>): void {
  ending.value = why; // Those who watch the session read it.
  isBeingDeleted.value = false;
  session.value = null;
  try {
    localStorage.removeItem(KEY);
  } catch {
    // Nothing was stored.
  }
}

/**
 * Return a valid access token, renewed if it is about to expire or equals `rejected`.
 * Raises ApiError; a session that cannot be renewed is ended first.
 */
export async function accessToken(rejected?: string): Promise<string> {
  const current = session.value;
  if (current && isUsable(current, rejected)) return current.accessToken;
  renewal ??= withLock(() => renew(rejected)).finally(() => (renewal = null));
  return (await renewal).accessToken;
}

/** Return the last access token, even if it has expired, or null. */
export function lastAccessToken(): string | null {
  return session.value?.accessToken ?? null;
}

let renewal: Promise<Session> | null = null;

async function renew(rejected: string | undefined): Promise<Session> {
  // Another tab may have renewed it while this one waited for the lock.
  const current = read() ?? session.value;
  if (current && isUsable(current, rejected)) return (session.value = current);
  if (!current) throw expired();
  const response = await fetch(`${config.api}/users/refresh`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ refreshToken: current.refreshToken }),
  }).catch(() => {
    throw offlineError();
  });
  const body: unknown = await response.json().catch(() => null);
  if (response.ok) return startSession(body as Parameters<typeof startSession>[0]);
  if (response.status === 401 || response.status === 403) throw expired();
  throw errorOf(response, body);
}

function expired(): ApiError {
  if (session.value) endSession("expired");
  return new ApiError("", "SessionEnded", 401);
}

function isUsable(candidate: Session, rejected: string | undefined): boolean {
  return candidate.accessToken !== rejected && candidate.expiresAt - Date.now() > RENEW_BEFORE_MS;
}

/** Run `task` in one tab at a time: a pool may rotate its refresh tokens. */
async function withLock<T>(task: () => Promise<T>): Promise<T> {
  // Without a secure context there are no locks, and nothing better to do.
  const locks = navigator.locks as LockManager | undefined;
  return locks ? await locks.request("session", task) : task();
}

function read(): Session | null {
  try {
    const stored = JSON.parse(localStorage.getItem(KEY) ?? "null") as Session | null;
    return stored?.refreshToken ? stored : null;
  } catch {
    return null;
  }
}
