import { expect, it } from "vitest";

import { checkEmail, checkNewPassword, required } from "./checks";

it.each(["", " "])("requires a field: %j", (value) => {
  expect(required("Name", value)).toBe("Name is required.");
});

it.each(["mario", "mario@", "mario@example", "a b@example.com", "@example.com"])(
  "rejects %s as an email address",
  (value) => {
    expect(checkEmail(value)).toBe("Enter an email address, such as mario@example.com.");
  },
);

it.each(["mario@example.com", " mario+photos@mail.example.co.uk "])("accepts %s", (value) => {
  expect(checkEmail(value)).toBe("");
});

it.each([" Secret-2026", "Secret-2026 "])("rejects a password with a space: %j", (value) => {
  expect(checkNewPassword("Password", value)).toBe(
    "A password must not begin or end with a space.",
  );
});

it("leaves it to the album how strong a password must be", () => {
  expect(checkNewPassword("Password", "weak")).toBe("");
  expect(checkNewPassword("New password", "")).toBe("New password is required.");
});
