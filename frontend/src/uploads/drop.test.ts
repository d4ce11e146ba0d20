import { expect, it } from "vitest";

import { readDrop } from "./drop";

type Tree = { [name: string]: Tree } | string;

function file(name: string): File {
  return new File([name], name);
}

/** Return an entry of the older interface, whose reader returns one child at a time. */
function entry(name: string, tree: Tree): FileSystemEntry {
  if (typeof tree === "string") {
    const get = (resolve: (found: File) => void) => resolve(file(name));
    return { name, isFile: true, file: get } as unknown as FileSystemEntry;
  }
  const children = Object.entries(tree).map(([child, below]) => entry(child, below));
  const readEntries = (resolve: (some: FileSystemEntry[]) => void) =>
    resolve(children.splice(0, 1));
  return {
    name,
    isFile: false,
    createReader: () => ({ readEntries }),
  } as unknown as FileSystemEntry;
}

function handle(name: string, tree: Tree): FileSystemHandle {
  if (typeof tree === "string") {
    return { name, kind: "file", getFile: () => Promise.resolve(file(name)) } as never;
  }
  const values = async function* () {
    await Promise.resolve();
    for (const [child, below] of Object.entries(tree)) yield handle(child, below);
  };
  return { name, kind: "directory", values } as never;
}

function item(parts: Partial<Record<string, unknown>>): DataTransferItem {
  const none = { getAsFile: () => null, webkitGetAsEntry: () => null };
  return { kind: "file", ...none, ...parts } as unknown as DataTransferItem;
}

function drop(...items: DataTransferItem[]): Promise<string[]> {
  const transfer = { items } as unknown as DataTransfer;
  return readDrop(transfer).then((found) => found.map((one) => one.file.name));
}

const trip: Tree = { "10.jpg": "", "9.jpg": "", later: { "2.jpg": "", "1.jpg": "" }, "11.jpg": "" };
const inOrder = ["9.jpg", "10.jpg", "11.jpg", "1.jpg", "2.jpg"];

it("reads a folder in the order in which people see it", async () => {
  expect(await drop(item({ webkitGetAsEntry: () => entry("trip", trip) }))).toEqual(inOrder);
});

it("reads a folder by its handle, where there is one, and keeps those of its files", async () => {
  const items = [item({ getAsFileSystemHandle: () => Promise.resolve(handle("trip", trip)) })];
  const found = await readDrop({ items } as unknown as DataTransfer);
  expect(found.map((one) => one.file.name)).toEqual(inOrder);
  expect(found.every((one) => one.handle?.name === one.file.name)).toBe(true);
});

it("keeps the order of files that are dropped together", async () => {
  const names = ["b.jpg", "a.jpg", "c.jpg"];
  const items = names.map((name) => item({ getAsFile: () => file(name) }));
  expect(await drop(...items)).toEqual(names);
});

it("falls back to the file if the browser refuses its handle", async () => {
  const refused = () => Promise.reject(new DOMException("NotAllowedError"));
  const found = await drop(
    item({ getAsFile: () => file("a.jpg"), getAsFileSystemHandle: refused }),
  );
  expect(found).toEqual(["a.jpg"]);
});

it("ignores text that is dropped with files", async () => {
  expect(await drop(item({ kind: "string", getAsFile: () => file("a.jpg") }))).toEqual([]);
});
