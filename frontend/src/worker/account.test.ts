import { expect, it } from "vitest";

import { accountOf } from "./account";

it("reads the account of an access token, with or without Bearer", () => {
  const token = `e30.${btoa('{"sub":"4f0c-ÿ"}').replaceAll("+", "-").replaceAll("/", "_")}.x`;
  expect(accountOf(token)).toBe("4f0c-ÿ");
  expect(accountOf(`Bearer ${token}`)).toBe("4f0c-ÿ");
});

it("finds no account in anything else", () => {
  for (const token of ["", "Bearer", "a.b.c", "e30.e30.x", `e30.${btoa('{"sub":1}')}.x`]) {
    expect(accountOf(token)).toBeNull();
  }
});
