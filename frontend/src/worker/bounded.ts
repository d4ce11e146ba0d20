/** A cache of a bounded size, which drops what has not been used for the longest time. */

export interface Entry {
  key: string;
  /** Bytes. */
  size: number;
  /** When it was last used, in milliseconds since 1970. */
  used: number;
}

/** Remembers the entries of a cache after the worker was stopped. */
export interface EntryIndex {
  all(): Promise<Entry[]>;
  put(entries: readonly Entry[]): Promise<void>;
  remove(keys: readonly string[]): Promise<void>;
  clear(): Promise<void>;
}

/** What a bounded cache uses of the browser's. */
export interface Store {
  match(key: string): Promise<Response | undefined>;
  put(key: string, response: Response): Promise<void>;
  delete(key: string): Promise<boolean>;
}

/** What the browser stores next to a body. */
const OVERHEAD = 1_000; // bytes
/** Dropping a little more than needed makes room for many. */
const FILL = 0.9;
const SAVE_AFTER_MS = 1_000;

export class BoundedCache {
  private entries: Promise<Map<string, Entry>> | null = null;
  private readonly touched = new Map<string, Entry>();
  private saving: Promise<void> | null = null;
  private generation = 0;

  constructor(
    private readonly open: () => Promise<Store>,
    private readonly index: EntryIndex,
    private readonly limit: () => Promise<number>,
    private readonly now: () => number = Date.now,
  ) {}

  /** Return a kept response. */
  async match(key: string): Promise<Response | undefined> {
    return (await this.open()).match(key);
  }

  /** Mark a response as used; not part of `match`, which must not wait for the index. */
  async touch(key: string): Promise<void> {
    const entry = (await this.load()).get(key);
    if (!entry) return;
    entry.used = this.now();
    this.touched.set(key, entry);
    await this.save();
  }

  /** Keep a response; without room for it, it is not kept. */
  async put(key: string, response: Response): Promise<void> {
    const { generation } = this;
    const type = response.headers.get("Content-Type") ?? "";
    const body = await response.blob();
    const entry = { key, size: body.size + OVERHEAD, used: this.now() };
    const entries = await this.load();
    if (entry.size > (await this.limit()) || generation !== this.generation) return;
    entries.set(key, entry);
    try {
      await this.shrink(entries, await this.limit());
      // First the index: what is in the cache and not in the index would stay forever.
      await this.index.put([entry]);
      if (generation !== this.generation) return;
      await (await this.open()).put(key, new Response(body, { headers: { "Content-Type": type } }));
    } catch {
      // The disk is full, or the browser grants less than it announced.
      await this.shrink(entries, total(entries) / 2);
    }
  }

  /** Forget everything, also what is being stored at this moment. */
  async clear(drop: () => Promise<unknown>): Promise<void> {
    this.generation += 1;
    this.entries = Promise.resolve(new Map());
    this.touched.clear();
    await drop();
    await this.index.clear();
  }

  /** Save what was used, a moment later and together. */
  private save(): Promise<void> {
    this.saving ??= new Promise((resolve) => setTimeout(resolve, SAVE_AFTER_MS)).then(() => {
      const entries = [...this.touched.values()];
      this.touched.clear();
      this.saving = null;
      return this.index.put(entries);
    });
    return this.saving;
  }

  private load(): Promise<Map<string, Entry>> {
    this.entries ??= this.index
      .all()
      .then((found) => new Map(found.map((entry) => [entry.key, entry])));
    return this.entries;
  }

  /** Drop the entries that were used least recently, if all together are larger than `limit`. */
  private async shrink(entries: Map<string, Entry>, limit: number): Promise<void> {
    let size = total(entries);
    if (size <= limit) return;
    const dropped: string[] = [];
    for (const entry of [...entries.values()].sort((one, other) => one.used - other.used)) {
      if (size <= limit * FILL) break;
      size -= entry.size;
      entries.delete(entry.key);
      this.touched.delete(entry.key);
      dropped.push(entry.key);
    }
    const store = await this.open();
    await Promise.all(dropped.map((key) => store.delete(key)));
    await this.index.remove(dropped);
  }
}

function total(entries: ReadonlyMap<string, Entry>): number {
  let size = 0;
  for (const entry of entries.values()) size += entry.size;
  return size;
}
