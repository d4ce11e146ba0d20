/** The bodies of requests: Playwright does not see those of a `fetch` with a Request. */
import type { Page, Request as Sent } from "@playwright/test";

const HEADER = "x-body";

/** Have the page repeat the JSON bodies of its changes in a header. Call it before a page opens. */
export async function showBodies(page: Page): Promise<void> {
  await page.addInitScript((header) => {
    const { fetch } = window;
    window.fetch = async (input, init) => {
      if (!(input instanceof Request) || !["PATCH", "DELETE"].includes(input.method))
        return fetch(input, init);
      const headers = new Headers(input.headers);
      headers.set(header, encodeURIComponent(await input.clone().text()));
      return fetch(new Request(input, { headers }), init);
    };
  }, HEADER);
}

/** Return the body of a request of such a page. */
export function bodyOf(request: Sent): unknown {
  return JSON.parse(decodeURIComponent(request.headers()[HEADER] ?? "") || "null");
}
