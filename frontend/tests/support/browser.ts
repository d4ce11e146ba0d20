/** The browser of the tests: an installed Chromium, or else one that an npm package ships. */
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const INSTALLED = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
const FOLDER = new URL("../chromium/", import.meta.url);
const PACKAGE = new URL("node_modules/@sparticuz/chromium/build/index.js", FOLDER);

/** Return the path of a Chromium; CHROMIUM names another one. Installs one if there is none. */
export async function browserPath(): Promise<string> {
  const named = process.env.CHROMIUM;
  if (named) return named;
  return INSTALLED.find(existsSync) ?? packagedBrowser();
}

/** 75 MB, so `make run` does not install it. */
async function packagedBrowser(): Promise<string> {
  if (!existsSync(PACKAGE)) {
    const options = ["--ignore-scripts", "--prefer-offline"];
    execFileSync("npm", ["ci", ...options], { cwd: fileURLToPath(FOLDER) });
  }
  const { default: chromium } = (await import(PACKAGE.href)) as {
    default: { executablePath: () => Promise<string> };
  };
  return chromium.executablePath();
}
