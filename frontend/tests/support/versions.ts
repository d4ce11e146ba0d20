/** A server of the built web app alone, which can change to a newer version. */
import { createHash } from "node:crypto";
import { createServer, type ServerResponse } from "node:http";
import { readdirSync, readFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";

const BUILT = fileURLToPath(new URL("../../../dist/web", import.meta.url));
const TYPES: Partial<Record<string, string>> = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".css": "text/css",
  ".svg": "image/svg+xml",
};

export interface Versions {
  url: string;
  /** Serve a version with another description and without the older version's `SignUpView`. */
  release(): void;
  close(): void;
}

export async function serveVersions(): Promise<Versions> {
  const files = new Map(
    readdirSync(BUILT, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .map((path) => [path.slice(BUILT.length), readFileSync(path)]),
  );
  const config = { api: "", signup: true, confirmation: false };
  files.set("/config.json", Buffer.from(JSON.stringify(config)));
  const server = createServer((request, response) => {
    const path = request.url === "/" ? "/index.html" : (request.url ?? "");
    respond(response, path, files.get(path));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`,
    release: () => {
      release(files);
    },
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

function respond(response: ServerResponse, path: string, body?: Buffer): void {
  response.setHeader("Content-Type", TYPES[extname(path)] ?? "application/json");
  response.setHeader("Cache-Control", "no-cache");
  response.statusCode = body ? 200 : 404;
  response.end(body);
}

function release(files: Map<string, Buffer>): void {
  const before = files.get("/index.html") ?? Buffer.from("");
  const after = Buffer.from(before.toString().replace("A private photo album", "The next version"));
  files.set("/index.html", after);
  const old = [...files.keys()].filter((path) => path.includes("SignUpView"));
  let worker = (files.get("/sw.js") ?? Buffer.from("")).toString();
  worker = worker.replaceAll(hash(before), hash(after)).replace(/[0-9a-f]{16}(?=["'`])/, "next");
  for (const path of old) {
    const renamed = path.replace("SignUpView-", "SignUpView-next");
    files.set(renamed, files.get(path) ?? Buffer.from(""));
    files.delete(path);
    worker = worker.replaceAll(path, renamed);
  }
  files.set("/sw.js", Buffer.from(worker));
}

function hash(content: Buffer): string {
  return createHash("sha256").update(content).digest("base64");
}
