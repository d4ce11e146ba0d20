import { expect, test } from "./support/album";

test("every file has strict headers, and only assets are cached forever", async ({ request }) => {
  const page = await request.get("/");
  const html = await page.text();
  const policy = page.headers()["content-security-policy"] ?? "";
  expect(policy).toContain("default-src 'none'; script-src 'self'; style-src 'self';");
  expect(policy).not.toContain("unsafe");
  expect(page.headers()["cache-control"]).toBe("no-cache");
  expect(html).not.toMatch(/<style|style=|<script>|onload=/);
  const asset = /src="(\/assets\/[^"]+\.js)"/.exec(html)?.[1] ?? "";
  const script = await request.get(asset);
  expect(script.headers()["cache-control"]).toBe("public, max-age=31536000, immutable");
  expect(script.headers()["x-content-type-options"]).toBe("nosniff");
});

test("the API answers next to the web app, also for paths that do not exist", async ({
  request,
}) => {
  expect(await (await request.get("/health")).json()).toMatchObject({ ok: true });
  const unknown = await request.get("/unknown");
  expect(unknown.status()).toBe(403);
  expect(await unknown.json()).toMatchObject({ Code: "UnknownRouteError" });
});

test("before anything is clicked, at most 90 kB of JavaScript load", async ({ signedIn }) => {
  await signedIn.reload({ waitUntil: "networkidle" });
  const sizes = await signedIn.evaluate(() =>
    performance
      .getEntriesByType("resource")
      .filter(({ name }) => name.endsWith(".js"))
      .map((entry) => (entry as PerformanceResourceTiming).encodedBodySize),
  );
  const total = sizes.reduce((sum, size) => sum + size, 0);
  console.log(`${String(Math.round(total / 100) / 10)} kB of JavaScript, gzipped`); // eslint-disable-line no-console
  expect(total).toBeGreaterThan(20_000);
  expect(total).toBeLessThanOrEqual(90_000);
});
