/** The account of the person who is signed in. */
import { shallowRef } from "vue";

import { reportError } from "@/composables/status";
import { api, data } from "./client";
import { ApiError } from "./errors";
import type { User } from "./types";
import { endSession, startSession } from "./session";

/** Name, counts and address, as last read. */
export const profile = shallowRef<User | null>(null);

/** Read the profile. Raises ApiError. */
export async function loadProfile(): Promise<void> {
  profile.value = (await data(api().GET("/users/me"))).user;
}

/** Change the name. Raises ApiError. */
export async function saveName(username: string): Promise<void> {
  profile.value = (await data(api().PATCH("/users/me", { body: { username } }))).user;
}

/** Start a session. Raises ApiError. */
export async function signIn(email: string, password: string): Promise<void> {
  const tokens = await data(api().POST("/users/signin", { body: { email, password } }));
  profile.value = null; // It may be that of another account, whose session has ended.
  startSession(tokens);
}

/** Create an account; return whether an emailed code must confirm it. Raises ApiError. */
export async function signUp(username: string, email: string, password: string): Promise<boolean> {
  const body = { username, email, password };
  return (await data(api().POST("/users/signup", { body }))).confirm === "email";
}

/** Confirm an account with the emailed code. Raises ApiError. */
export async function confirm(email: string, code: string): Promise<void> {
  await data(api().POST("/users/confirm", { body: { email, code } }));
}

/** Send another code to confirm an account. Raises ApiError. */
export async function sendAnotherCode(email: string): Promise<void> {
  await data(api().POST("/users/confirm/resend", { body: { email } }));
}

/** Send a code to reset a password, if the address is known. Raises ApiError. */
export async function requestReset(email: string): Promise<void> {
  await data(api().POST("/users/password/forgot", { body: { email } }));
}

/** Set a new password with the emailed code. Raises ApiError. */
export async function resetPassword(email: string, code: string, password: string): Promise<void> {
  await data(api().POST("/users/password/reset", { body: { email, code, password } }));
}

/** Sign out on every device. This one forgets its tokens even if the album cannot be reached. */
export async function signOut(): Promise<void> {
  try {
    await data(api().POST("/users/signout"));
  } catch (error) {
    if (!(error instanceof ApiError && error.code === "SessionEnded")) reportError(error);
  }
  profile.value = null;
  endSession("signedOut");
}

/** Change the password, which ends every session. Raises ApiError. */
export async function changePassword(oldPassword: string, newPassword: string): Promise<void> {
  await data(api().PUT("/users/me/password", { body: { oldPassword, newPassword } }));
  profile.value = null;
  endSession("passwordChanged");
}

/** Delete the account, in as many requests as it takes; `onProgress` gets the photos left. */
export async function deleteAccount(
  password: string,
  onProgress: (left: number) => void,
): Promise<void> {
  for (;;) {
    const result = await data(api().DELETE("/users/me", { body: { password } }));
    if (!("remaining" in result)) break;
    onProgress(result.remaining);
  }
  profile.value = null;
  endSession("accountDeleted");
}
