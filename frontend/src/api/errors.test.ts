import { expect, it } from "vitest";

import { errorOf, messageOf, retryAfter } from "./errors";

function response(status: number, headers = {}): Response {
  return new Response("{}", { status, headers });
}

it("shows the message of the album unchanged", () => {
  const error = errorOf(response(409), { Code: "ConflictError", Message: "Taken. Sign in." });
  expect(error.message).toBe("Taken. Sign in.");
  expect(error.code).toBe("ConflictError");
  expect(error.status).toBe(409);
  expect(messageOf(error)).toBe("Taken. Sign in.");
});

it("shows the gateway's own message, which has a small m", () => {
  expect(errorOf(response(413), { message: "Request Too Long" }).message).toBe("Request Too Long");
});

it.each([null, "<html>", {}, { Message: 5 }])("explains a body that is no error: %j", (body) => {
  expect(errorOf(response(502), body).message).toBe(
    "Something went wrong (status 502). Try again.",
  );
});

it("hides the text of a bug", () => {
  expect(messageOf(new TypeError("x is undefined"))).toBe("Something went wrong. Try again.");
});

it.each([
  ["5", 5],
  ["0", 0],
  ["Wed, 25 Nov 2026 09:00:30 GMT", 30],
  ["Wed, 25 Nov 2026 08:00:00 GMT", 0],
  ["soon", null],
  [null, null],
])("reads Retry-After %j as %j seconds", (header, seconds) => {
  expect(retryAfter(header, Date.parse("2026-11-25T09:00:00Z"))).toBe(seconds);
});

it.each([
  [429, true],
  [503, true],
  [500, true],
  [404, false],
])("knows whether a request with status %d may succeed later", (status, isTemporary) => {
  expect(errorOf(response(status), null).isTemporary).toBe(isTemporary);
});
