/** Tags as a comma-separated text, and suggestions for the one that is being typed. */

export interface TagCount {
  tag: string;
  count: number;
}

const MOST_SUGGESTIONS = 6;

/** Return the tags of a text, each once. */
export function splitTags(text: string): string[] {
  const found = new Map<string, string>();
  for (const part of text.split(",")) {
    const tag = part.trim();
    if (tag && !found.has(tag.toLowerCase())) found.set(tag.toLowerCase(), tag);
  }
  return [...found.values()];
}

/** Return the most frequent tags that begin with, or else contain, what is typed last. */
export function suggest(text: string, all: readonly TagCount[]): string[] {
  const typed = last(text).trim().toLowerCase();
  const used = new Set(splitTags(text).map((tag) => tag.toLowerCase()));
  return all
    .filter(({ tag }) => tag.toLowerCase().includes(typed) && !used.has(tag.toLowerCase()))
    .sort((a, b) => rank(a, typed) - rank(b, typed) || b.count - a.count)
    .slice(0, MOST_SUGGESTIONS)
    .map(({ tag }) => tag);
}

/** Return the text with a suggestion in the place of what is typed last. */
export function complete(text: string, tag: string): string {
  const before = text.slice(0, text.length - last(text).length).trim();
  return `${before}${before ? " " : ""}${tag}, `;
}

function last(text: string): string {
  return text.slice(text.lastIndexOf(",") + 1);
}

function rank({ tag }: TagCount, typed: string): number {
  return tag.toLowerCase().startsWith(typed) ? 0 : 1;
}
