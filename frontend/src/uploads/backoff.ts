/** How long to wait before a request is sent again. */
import type { ApiError } from "@/api/errors";

const FIRST_MS = 1_000;
const LONGEST_MS = 60_000;
/** Requests that the album answers with an error are sent this often; those lost, without end. */
const ATTEMPTS = 8;
const LONGEST_RETRY_AFTER = 300; // seconds; beyond that, people decide when to try again

/**
 * Return the milliseconds to wait after the failed attempt number `attempt` (from 1), or null to
 * give up. Random, so that files that failed together do not return together; never less than
 * `Retry-After`.
 */
export function delayAfter(
  error: ApiError,
  attempt: number,
  random: () => number = Math.random,
): number | null {
  if (!error.isTemporary) return null;
  if (error.status !== 0 && attempt >= ATTEMPTS) return null;
  const asked = error.retryAfter ?? 0;
  if (asked > LONGEST_RETRY_AFTER) return null;
  const longest = Math.min(LONGEST_MS, FIRST_MS * 2 ** (attempt - 1));
  return asked * 1000 + longest * (0.5 + random() / 2);
}
