import { describe, expect, it } from "vitest";

import { parsePlace, placeOf } from "./place";

const nowhere = { address: null, city: null, nation: null };
const lisbon = { address: "Rua Augusta 1, 2nd floor", city: "Lisbon", nation: "Portugal" };

describe("a place as one line", () => {
  it("has street, city and country, as far as they are known", () => {
    expect(placeOf(lisbon)).toBe("Rua Augusta 1, 2nd floor, Lisbon, Portugal");
    expect(placeOf({ ...nowhere, nation: "Portugal" })).toBe("Portugal");
    expect(placeOf(nowhere)).toBe("");
  });

  it.each([
    ["Lisbon", { ...nowhere, city: "Lisbon" }],
    ["Lisbon, Portugal", { ...nowhere, city: "Lisbon", nation: "Portugal" }],
    [" Rua Augusta 1,2nd floor , Lisbon,Portugal, ", lisbon],
    ["", nowhere],
    [" , ", nowhere],
  ])("is read back from %j", (line, place) => {
    expect(parsePlace(line, nowhere)).toEqual(place);
  });

  it("keeps what a part was before", () => {
    const portugal = { ...nowhere, nation: "Portugal" };
    expect(parsePlace("Portugal", portugal)).toEqual(portugal);
    expect(parsePlace("portugal", portugal)).toEqual({ ...nowhere, nation: "portugal" });
    const city = { ...nowhere, city: "Lisbon" };
    expect(parsePlace("Rua Augusta 1, Lisbon", city)).toEqual({
      ...city,
      address: "Rua Augusta 1",
    });
    const odd = { address: null, city: "Washington, D.C.", nation: null };
    expect(parsePlace("Washington, D.C.", odd)).toEqual(odd);
  });
});
