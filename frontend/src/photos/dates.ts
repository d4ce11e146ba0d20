/** A photo's date: the camera's local time, with the offset from UTC if the camera recorded one. */

const ISO =
  /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,]\d+)?)?(Z|[+-]\d\d(?::?\d\d)?)?)?$/i;

export interface LocalTime {
  /** Such as "2026-11-03". */
  date: string;
  /** Such as "14:30:05". */
  time: string;
  /** Such as "+09:00", or "" if it is unknown. */
  offset: string;
  /** The local date and time as if they were in UTC: show them in that time zone. */
  moment: Date;
}

/** Return the parts of a date in ISO 8601 or as typed, or null if it is none. */
export function localTime(text: string): LocalTime | null {
  const match = ISO.exec(text.trim());
  if (!match) return null;
  const [, year = "", month = "", day = "", hour = "00", minute = "00", second = "00"] = match;
  const date = `${year}-${month}-${day}`;
  const time = `${hour}:${minute}:${second}`;
  const moment = new Date(`${date}T${time}Z`);
  // February 30 would be read as a day in March.
  if (Number.isNaN(moment.getTime()) || !moment.toISOString().startsWith(date)) return null;
  return { date, time, offset: match[7] ?? "", moment };
}

/** Return a photo's date as its text field shows it: local, with seconds. */
export function toDateField(iso: string | null): string {
  const local = iso ? localTime(iso) : null;
  return local ? `${local.date} ${local.time}` : "";
}

/**
 * Return what to save for the text of the date field: the date with the offset that it had before,
 * null if the field is empty, or undefined if the text is no date.
 */
export function fromDateField(text: string, before: string | null): string | null | undefined {
  if (!text.trim()) return null;
  const typed = localTime(text);
  if (!typed) return undefined;
  const offset = typed.offset || (before ? (localTime(before)?.offset ?? "") : "");
  return `${typed.date}T${typed.time}${offset}`;
}
