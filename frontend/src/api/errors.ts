import { text } from "@/text/en";

/** A failed request: `message` is a sentence to show, `code` is for programs. */
export class ApiError extends Error {
  override readonly name = "ApiError";

  constructor(
    message: string,
    readonly code: string,
    /** The HTTP status, or 0 if there was no response. */
    readonly status: number,
    /** Seconds to wait before the next attempt, if the response says so. */
    readonly retryAfter: number | null = null,
  ) {
    super(message);
  }

  /** Whether the same request may succeed later. */
  get isTemporary(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

/** Return the error for a request that got no response. */
export function offlineError(): ApiError {
  return new ApiError(text.errors.offline, "NetworkError", 0);
}

/** Return the error in a response, whose body has been parsed as far as it is JSON. */
export function errorOf(response: Response, body: unknown): ApiError {
  const { Code, Message, message } = (body ?? {}) as Record<string, unknown>;
  const sentence = [Message, message].find((value) => typeof value === "string" && value);
  return new ApiError(
    (sentence as string | undefined) ?? text.errors.unexpected(response.status),
    typeof Code === "string" ? Code : "UnknownError",
    response.status,
    retryAfter(response.headers.get("Retry-After")),
  );
}

/** Return the seconds of a `Retry-After` header, which may also be a date (RFC 9110, 10.2.3). */
export function retryAfter(header: string | null, now = Date.now()): number | null {
  if (!header) return null;
  const seconds = /^\d+$/.test(header) ? Number(header) : (Date.parse(header) - now) / 1000;
  return Number.isNaN(seconds) ? null : Math.max(0, Math.ceil(seconds));
}

/** Return an error as a sentence to show. */
export function messageOf(error: unknown): string {
  return error instanceof ApiError ? error.message : text.errors.unexpected(0);
}
