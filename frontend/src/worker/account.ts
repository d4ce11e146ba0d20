/** Return the account of an access token, which is a JSON Web Token, or null. */
export function accountOf(token: string): string | null {
  const claims = token.split(".")[1] ?? "";
  try {
    const json = atob(claims.replaceAll("-", "+").replaceAll("_", "/"));
    const { sub } = JSON.parse(json) as { sub?: unknown };
    return typeof sub === "string" && sub ? sub : null;
  } catch {
    return null;
  }
}
