import { isPositionErased } from "./exif";
import type { Inspection, Request, Response } from "./hash";

addEventListener("message", (event: MessageEvent<Request>) => {
  const { id, file } = event.data;
  void inspect(file).then(
    (inspection) => postMessage({ id, inspection } satisfies Response),
    (error: unknown) => postMessage({ id, error: String(error) } satisfies Response),
  );
});

/** Read a file once, as a whole: crypto.subtle has no other way. */
async function inspect(file: Blob): Promise<Inspection> {
  const bytes = await file.arrayBuffer();
  const subtle = crypto.subtle as SubtleCrypto | undefined;
  const sha256 = subtle ? hexadecimal(await subtle.digest("SHA-256", bytes)) : null;
  return { sha256, lacksPosition: isPositionErased(new DataView(bytes)) };
}

function hexadecimal(digest: ArrayBuffer): string {
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
