/** Requests of the API: typed by its OpenAPI document, with a token, errors raised as ApiError. */
import createClient from "openapi-fetch";

import { config } from "@/config";
import { ApiError, errorOf, offlineError } from "./errors";
import { rememberRead } from "./firstReads";
import type { paths } from "./schema";
import { accessToken, endSession, isBeingDeleted, lastAccessToken } from "./session";

/** The code of the response to a token that is invalid, expired or signed out. */
export const TOKEN_REJECTED = "ForbiddenError";
const PUBLIC = /\/users\/(signup|signin|confirm|confirm\/resend|password\/(forgot|reset)|links)$/;

/** Read-only requests are repeated this often when the album is busy. */
const ATTEMPTS = 3;
const LONGEST_WAIT = 10; // seconds; beyond that, the error is shown

/** Send a request with a valid token, renewed if it is rejected. Raises ApiError. */
async function authorizedFetch(request: Request): Promise<Response> {
  if (PUBLIC.test(new URL(request.url).pathname)) return send(request);
  return withSession(
    (token) => send(withToken(request, token)),
    async (response) => response.status === 403 && (await codeOf(response)) === TOKEN_REJECTED,
    () => tokenFor(request),
  );
}

/** Do `attempt` with a valid token, and once more with a renewed one if it is rejected. */
export async function withSession<T>(
  attempt: (token: string) => Promise<T>,
  isRejected: (result: T) => boolean | Promise<boolean>,
  firstToken: () => Promise<string> = accessToken,
): Promise<T> {
  const token = await firstToken();
  const first = await attempt(token);
  if (!(await isRejected(first))) return first;
  const renewal = await accessToken(token);
  const second = await attempt(renewal);
  // A renewed token that is rejected, too, belongs to an account that is gone or being deleted.
  if (await isRejected(second)) {
    if (await mayOnlyDelete(renewal)) isBeingDeleted.value = true;
    else endSession("expired");
  }
  return second;
}

/**
 * Return whether the album allows an account nothing but its own deletion. Without a password, the
 * request deletes nothing: it is a bad one where it is allowed.
 */
async function mayOnlyDelete(token: string): Promise<boolean> {
  const request = new Request(new URL(`${config.api}/users/me`, location.href), {
    method: "DELETE",
    headers: { "Content-Type": "application/json" },
    body: "{}",
  });
  return (await send(withToken(request, token))).status === 400;
}

/**
 * Return a valid token. A read gets an expired one when the album cannot be reached: the service
 * worker has its last response, and needs to know whose it is.
 */
async function tokenFor(request: Request): Promise<string> {
  try {
    return await accessToken();
  } catch (error) {
    const last = lastAccessToken();
    const isOffline = error instanceof ApiError && error.status === 0;
    if (isOffline && last && request.method === "GET") return last;
    throw error;
  }
}

function withToken(request: Request, token: string): Request {
  const copy = request.clone();
  copy.headers.set("Authorization", `Bearer ${token}`);
  return copy;
}

async function send(request: Request): Promise<Response> {
  for (let attempt = 1; ; attempt++) {
    const sent = fetch(request.clone());
    rememberRead(request, sent);
    const response = await sent.catch((error: unknown) => {
      throw request.signal.aborted ? error : offlineError();
    });
    if (request.method !== "GET" || ![429, 503].includes(response.status)) return response;
    const seconds = errorOf(response, null).retryAfter ?? 2 ** attempt;
    if (attempt === ATTEMPTS || seconds > LONGEST_WAIT) return response;
    await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  }
}

async function codeOf(response: Response): Promise<string> {
  return errorOf(
    response,
    await response
      .clone()
      .json()
      .catch(() => null),
  ).code;
}

/** The API's routes. Wrap calls in `data()`. Call it when used: `config` is loaded at the start. */
export function api() {
  client ??= createClient<paths>({ baseUrl: config.api, fetch: authorizedFetch });
  return client;
}

let client: ReturnType<typeof createClient<paths>> | undefined;

/** Return the body of a successful response. Raises ApiError. */
export async function data<T>(
  call: Promise<{ data?: T; error?: unknown; response: Response }>,
): Promise<T> {
  const { data: body, error, response } = await call;
  if (!response.ok) throw errorOf(response, error);
  return body as T;
}
