/** Checks of form fields, which save a request. The API has the last word. */
import { text } from "@/text/en";

// As `<input type=email>`, with a dot in the domain, as the API requires.
const EMAIL = /^[^\s@]+@[^\s@]+\.[^\s@]+$/;

/** Return an error if a field is empty, or "". */
export function required(field: string, value: string): string {
  return value.trim() ? "" : text.errors.required(field);
}

/** Return an error if an email address is missing or malformed, or "". */
export function checkEmail(value: string): string {
  return required(text.form.email, value) || (EMAIL.test(value.trim()) ? "" : text.errors.email);
}

/** Return an error if a new password is missing or has spaces at an end, or "". */
export function checkNewPassword(field: string, value: string): string {
  if (!value) return text.errors.required(field);
  return value.trim() === value ? "" : text.errors.passwordSpaces;
}
