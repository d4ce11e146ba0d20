/** Builds the service worker after the page: it has the list of the page's files. */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { build, type Plugin } from "vite";

/** A separate file of its own at the root: a worker controls only what is below its path. */
const NAME = "sw.js";
/** Only installing needs these, and the network. */
const NOT_KEPT = /^(icons\/|manifest\.webmanifest|sw\.js)|\.map$/;

interface KeptFile {
  url: string;
  integrity: string;
}

/** Return the plugin that builds the worker at `entry`. */
export function serviceWorker(entry: string): Plugin {
  return {
    name: "service-worker",
    apply: "build",
    async writeBundle({ dir = "" }) {
      const files = filesIn(dir);
      await build({
        configFile: false,
        logLevel: "warn",
        publicDir: false,
        define: {
          __FILES__: JSON.stringify(files),
          __VERSION__: JSON.stringify(hash("sha256", JSON.stringify(files), "hex").slice(0, 16)),
        },
        build: {
          outDir: dir,
          emptyOutDir: false,
          target: "es2022",
          // Not every browser loads modules in service workers.
          rolldownOptions: { input: entry, output: { format: "iife", entryFileNames: NAME } },
        },
      });
    },
  };
}

function filesIn(folder: string): KeptFile[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => ({ path, name: path.slice(folder.length + 1).replaceAll("\\", "/") }))
    .filter(({ name }) => !NOT_KEPT.test(name))
    .sort((one, other) => (one.name < other.name ? -1 : 1))
    .map(({ path, name }) => ({
      url: name === "index.html" ? "/" : `/${name}`,
      integrity: `sha256-${hash("sha256", readFileSync(path), "base64")}`,
    }));
}

function hash(algorithm: string, content: string | Buffer, encoding: "hex" | "base64"): string {
  return createHash(algorithm).update(content).digest(encoding);
}
