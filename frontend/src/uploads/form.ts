/** Forms with a file, sent by XMLHttpRequest: fetch does not report the progress of an upload. */
import { errorOf, offlineError, type ApiError } from "@/api/errors";

export interface Answer {
  status: number;
  /** The body, as far as it is JSON. */
  body: unknown;
  /** Return the response as an error. */
  error(): ApiError;
}

export interface FormOptions {
  headers?: Record<string, string>;
  signal: AbortSignal;
  onProgress?: (bytes: number) => void;
  onSent?: () => void;
}

/** A connection that moves no byte for so long is broken, even if the system has not noticed. */
const STALLED_MS = 90_000;

/** Send a form, and return the response of any status. Raises ApiError without one. */
export function sendForm(url: string, form: FormData, options: FormOptions): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    let timer = setTimeout(() => request.abort(), STALLED_MS);
    const abort = () => request.abort();
    const end = () => {
      clearTimeout(timer);
      options.signal.removeEventListener("abort", abort);
    };
    const fail = () => {
      end();
      reject(options.signal.aborted ? (options.signal.reason as Error) : offlineError());
    };
    request.open("POST", url);
    for (const [name, value] of Object.entries(options.headers ?? {})) {
      request.setRequestHeader(name, value);
    }
    request.upload.onprogress = ({ loaded }) => {
      clearTimeout(timer);
      timer = setTimeout(() => request.abort(), STALLED_MS);
      options.onProgress?.(loaded);
    };
    request.upload.onload = () => options.onSent?.();
    request.onload = () => {
      end();
      resolve(answerOf(request));
    };
    request.onerror = fail;
    request.onabort = fail;
    options.signal.addEventListener("abort", abort);
    if (options.signal.aborted) fail();
    else request.send(form);
  });
}

function answerOf(request: XMLHttpRequest): Answer {
  let body: unknown = null;
  try {
    body = JSON.parse(request.responseText);
  } catch {
    // S3 and proxies answer in other formats.
  }
  // Asked for by its name, a header that the bucket does not expose would log an error.
  const retryAfter = /^retry-after: *(.+)$/im.exec(request.getAllResponseHeaders())?.[1];
  const headers: HeadersInit = retryAfter ? { "Retry-After": retryAfter } : {};
  const { status } = request;
  // Only the status and the header are needed; a body would be refused for some statuses.
  const error = () => errorOf({ status, headers: new Headers(headers) } as Response, body);
  return { status, body, error };
}
