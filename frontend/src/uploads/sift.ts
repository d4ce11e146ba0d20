/** Photos among dropped files. The album decides by the bytes; this spares it what is obvious. */
import type { Candidate } from "./drop";

const EXTENSIONS = /\.(jpe?g|jpe|png|gif|webp|bmp|tiff?|hei[cf]|avif)$/i;
/** What systems put into folders; nobody wants to hear about it. */
const CLUTTER = /^(\..*|thumbs\.db|desktop\.ini)$/i;

/** Return the photos, and the names of the other files. */
export function sift(candidates: readonly Candidate[]): { photos: Candidate[]; others: string[] } {
  const photos: Candidate[] = [];
  const others: string[] = [];
  for (const candidate of candidates) {
    const { name, type } = candidate.file;
    if (type.startsWith("image/") || EXTENSIONS.test(name)) {
      if (!/^\._/.test(name)) photos.push(candidate); // macOS: attributes, not an image
    } else if (!CLUTTER.test(name)) others.push(name);
  }
  return { photos, others };
}
