/** A bad connection to the album: a proxy that fails every tenth request of the API. */
import {
  request as send,
  createServer,
  type IncomingMessage,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";

export interface FlakyAlbum {
  url: string;
  /** The requests that failed: before they reached the album, or with their response lost. */
  failures: () => number;
  close: () => Promise<void>;
}

const API = /^\/(photos|users)\b/;

export async function startFlakyAlbum(album: string): Promise<FlakyAlbum> {
  let requests = 0;
  let failures = 0;
  const server = createServer((incoming, outgoing) => {
    if (!API.test(incoming.url ?? "")) return forward(album, incoming, outgoing, false);
    requests += 1;
    if (requests % 10 !== 0) return forward(album, incoming, outgoing, false);
    failures += 1;
    if (failures % 3 === 0) return forward(album, incoming, outgoing, true);
    if (failures % 3 === 1) return void incoming.socket.destroy();
    incoming.resume();
    incoming.on("end", () => {
      outgoing.writeHead(503, { "Content-Type": "application/json", "Retry-After": "1" });
      outgoing.end(JSON.stringify({ Code: "ServiceUnavailableError", Message: "Try again." }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`,
    failures: () => failures,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Pass a request to the album, and its response back unless that is to be lost. */
function forward(
  album: string,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  isLost: boolean,
): void {
  const { method, headers } = incoming;
  const passed = send(new URL(incoming.url ?? "", album), { method, headers }, (response) => {
    if (isLost) {
      response.resume();
      incoming.socket.destroy();
      return;
    }
    outgoing.writeHead(response.statusCode ?? 502, response.headers);
    response.pipe(outgoing);
  });
  passed.on("error", () => incoming.socket.destroy());
  incoming.pipe(passed);
}
