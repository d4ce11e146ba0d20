/** What a tab knows about the queue, whether it works or only shows it. */
import { isOver, next, type Entry } from "./entry";
import type { View } from "./view";

export class QueueModel {
  readonly entries = new Map<string, Entry>();
  /** Bytes sent of the files under way. */
  readonly loaded = new Map<string, number>();
  notPhotos: readonly string[] = [];
  repeated: readonly string[] = [];
  isConnected = true;
  #lastOrder = 0;

  inOrder(): Entry[] {
    return [...this.entries.values()].sort((one, other) => one.order - other.order);
  }

  /** Return the order of another file: also after a reload, later files follow earlier ones. */
  nextOrder(): number {
    this.#lastOrder = Math.max(this.#lastOrder + 1, Date.now() * 1000);
    return this.#lastOrder;
  }

  addAll(entries: Iterable<Entry>): void {
    for (const entry of entries) this.entries.set(entry.id, entry);
  }

  /** Keep an entry, or remove it; return whether its photo is in the album since then. */
  set(id: string, entry: Entry | null): boolean {
    const before = this.entries.get(id);
    if (entry) this.entries.set(id, entry);
    else this.entries.delete(id);
    if (!entry || isOver(entry)) this.loaded.delete(id);
    return entry?.state === "done" && before?.state !== "done";
  }

  markSaved(ids: readonly string[]): void {
    for (const id of ids) {
      const entry = this.entries.get(id);
      if (entry) this.entries.set(id, next(entry, { type: "saved" }));
    }
  }

  remove(ids: readonly string[]): void {
    for (const id of ids) this.entries.delete(id);
    if (this.entries.size === 0) this.forgetSkipped();
  }

  forgetSkipped(): void {
    this.notPhotos = this.repeated = [];
  }

  /** Return the IDs of the files that need no attention any more, if nothing is left to do. */
  finished(): string[] {
    const entries = this.inOrder();
    if (!entries.every(isOver)) return [];
    return entries.filter(({ state }) => state !== "failed").map(({ id }) => id);
  }

  view(isElsewhere: boolean): View {
    return {
      entries: this.inOrder(),
      loaded: new Map(this.loaded),
      notPhotos: this.notPhotos,
      repeated: this.repeated,
      isConnected: this.isConnected,
      isElsewhere,
    };
  }
}
