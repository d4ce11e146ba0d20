/** SHA-256 of files, computed in a worker so that the page stays responsive. */

export interface Inspection {
  /** In hexadecimal; null where the browser cannot hash, as without https. */
  sha256: string | null;
  /** Whether the phone erased the position. */
  lacksPosition: boolean;
}

export type Inspect = (file: Blob) => Promise<Inspection>;

export interface Request {
  id: number;
  file: Blob;
}

export type Response = { id: number; inspection: Inspection } | { id: number; error: string };

/** Return a function that inspects a file. Call it for one at a time: each is in memory as a whole. */
export function createInspector(): { inspect: Inspect; stop: () => void } {
  const worker = new Worker(new URL("./hash.worker.ts", import.meta.url), { type: "module" });
  const waiting = new Map<
    number,
    { resolve: (found: Inspection) => void; reject: (error: Error) => void }
  >();
  let count = 0;
  worker.onmessage = ({ data }: MessageEvent<Response>) => {
    const call = waiting.get(data.id);
    waiting.delete(data.id);
    if ("error" in data) call?.reject(new Error(data.error));
    else call?.resolve(data.inspection);
  };
  worker.onerror = () => {
    // Without its worker, the queue goes on without hashes: the album finds duplicates itself.
    for (const { resolve } of waiting.values()) resolve({ sha256: null, lacksPosition: false });
    waiting.clear();
  };
  return {
    inspect: (file) =>
      new Promise((resolve, reject) => {
        count += 1;
        waiting.set(count, { resolve, reject });
        worker.postMessage({ id: count, file } satisfies Request);
      }),
    stop: () => worker.terminate(),
  };
}
