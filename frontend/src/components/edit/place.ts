/** A photo's place as one line of text: street, city, country. */

export interface Place {
  address: string | null;
  city: string | null;
  nation: string | null;
}

/** Return the place as one line, or "". */
export function placeOf({ address, city, nation }: Place): string {
  return [address, city, nation].filter(Boolean).join(", ");
}

/**
 * Return the parts of a line as it was edited. The last part is the country and the one before it
 * the city; a single part is the city. Parts that the photo had before keep their meaning.
 */
export function parsePlace(line: string, before: Place): Place {
  if (line.trim() === placeOf(before)) return before;
  const parts = line
    .split(",")
    .map((part) => part.trim())
    .filter(Boolean);
  const last = parts.at(-1) ?? null;
  const isCity = isSame(last, before.city) || (parts.length === 1 && !isSame(last, before.nation));
  const nation = isCity ? null : (parts.pop() ?? null);
  const city = parts.pop() ?? null;
  return { address: parts.join(", ") || null, city, nation };
}

function isSame(a: string | null, b: string | null): boolean {
  return a !== null && b !== null && a.toLowerCase() === b.trim().toLowerCase();
}
