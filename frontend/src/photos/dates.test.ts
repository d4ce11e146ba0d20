import { describe, expect, it } from "vitest";

import { fromDateField, localTime, toDateField } from "./dates";

describe("a photo's own local time", () => {
  it.each([
    ["2026-11-03T10:00:05+13:00", "2026-11-03", "10:00:05", "+13:00"],
    ["2026-11-03T23:59:59.123-11:00", "2026-11-03", "23:59:59", "-11:00"],
    ["2026-11-03T10:00:05", "2026-11-03", "10:00:05", ""],
    ["2026-11-03T10:00:05Z", "2026-11-03", "10:00:05", "Z"],
  ])("of %s is not moved by the browser's time zone", (iso, date, time, offset) => {
    expect(localTime(iso)).toMatchObject({ date, time, offset });
    expect(localTime(iso)?.moment.toISOString()).toBe(`${date}T${time}.000Z`);
  });

  it.each(["", "yesterday", "2026-02-30", "2026-13-01", "2026-11-03 25:00", "2026-11-03 10:61"])(
    "does not exist for %j",
    (text) => {
      expect(localTime(text)).toBeNull();
    },
  );
});

describe("editing a date", () => {
  it("shows local date and time with seconds", () => {
    expect(toDateField("2026-11-03T10:00:05+13:00")).toBe("2026-11-03 10:00:05");
    expect(toDateField(null)).toBe("");
  });

  it("keeps the offset of the camera", () => {
    expect(fromDateField("2026-11-04 09:30:07", "2026-11-03T10:00:05+13:00")).toBe(
      "2026-11-04T09:30:07+13:00",
    );
  });

  it("adds no offset where there was none", () => {
    expect(fromDateField("2026-11-04 09:30", "2026-11-03T10:00:05")).toBe("2026-11-04T09:30:00");
    expect(fromDateField("2026-11-04", null)).toBe("2026-11-04T00:00:00");
  });

  it("takes an offset that is typed", () => {
    expect(fromDateField("2026-11-04T09:30:00+02:00", "2026-11-03T10:00:05+13:00")).toBe(
      "2026-11-04T09:30:00+02:00",
    );
  });

  it("clears the date when the field is empty, and rejects what is no date", () => {
    expect(fromDateField("  ", "2026-11-03T10:00:05")).toBeNull();
    expect(fromDateField("2026-02-30 10:00", null)).toBeUndefined();
  });
});
