/** The queue of one account in this tab: what the region `Uploads` shows, and what it can do. */
import { shallowRef } from "vue";

import { announceChange, runBatch } from "@/photos/actions";
import type { Candidate } from "./drop";
import { isOver, type Entry } from "./entry";
import { QueueFiles } from "./files";
import { createWakeLock, warnBeforeLoss } from "./guards";
import { createInspector } from "./hash";
import { newId } from "./ids";
import { intake } from "./intake";
import { matchLost } from "./lost";
import { QueueModel } from "./model";
import { createRunner, LARGEST_HASHED, type Runner } from "./runner";
import { createSaver, freeBytes } from "./saver";
import { sift } from "./sift";
import { openStore, type UploadStore } from "./store";
import { joinTabs, obey, type Command, type Message } from "./tabs";
import { throttled } from "./throttle";
import { transport } from "./transport";
import type { Queue } from "./view";
import { createWriter, type Writer } from "./writer";

const SHOWN_EVERY_MS = 150;
const LISTS_EVERY_MS = 5_000;
/** A tab that does not have the lock by then is not the one that works. */
const LOCK_MS = 1_000;

export async function openQueue(owner: string): Promise<Queue> {
  const store = await openStore().catch(() => null); // Storage may be blocked.
  const queue = new AccountQueue(owner, store);
  await queue.open();
  return queue;
}

class AccountQueue implements Queue {
  readonly #model = new QueueModel();
  readonly view = shallowRef(this.#model.view(false));

  readonly #files: QueueFiles;
  readonly #writer: Writer | null;
  readonly #inspector = createInspector();
  readonly #changed = new Map<string, Entry | null>();
  readonly #unsubscribe = new AbortController();
  readonly #save: () => Promise<void>;
  readonly #show = throttled(() => this.#publish(), SHOWN_EVERY_MS);
  readonly #announce = throttled(announceChange, LISTS_EVERY_MS, 1_000);
  readonly #updateGuards: (() => void)[];
  #tabs: ReturnType<typeof joinTabs> | null = null;
  #runner: Runner | null = null;
  readonly #openedAt = Date.now();
  /** Files that are copied. Those with handles are, too: a handle needs a permission later. */
  readonly #copied = new Set<string>();
  #isStopped = false;

  constructor(
    readonly owner: string,
    private readonly store: UploadStore | null,
  ) {
    this.#files = new QueueFiles(() => Promise.resolve(store));
    this.#writer = store && createWriter(store);
    this.#save = store ? this.#createSaver(store) : () => Promise.resolve();
    this.#updateGuards = [
      createWakeLock(() => !!this.#runner?.isBusy() && !this.#isStopped),
      warnBeforeLoss(
        () => !this.#isStopped && [...this.#model.entries.values()].some(this.#isAtRisk),
      ),
    ];
  }

  /** Whether closing this tab would lose the file of an entry. */
  readonly #isAtRisk = (entry: Entry): boolean =>
    !isOver(entry) && !entry.isSaved && this.#files.ofPage(entry.id) !== undefined;

  async open(): Promise<void> {
    const entries = await this.#load();
    this.#model.addAll(entries);
    this.#tabs = joinTabs(
      this.owner,
      (message) => this.#receive(message),
      () => void this.#work(),
    );
    const { signal } = this.#unsubscribe;
    addEventListener("online", () => this.#runner?.wake(), { signal });
    setTimeout(this.#show, LOCK_MS + 1);
    this.#publish();
  }

  /** Read what is stored, without what needs no attention any more. */
  async #load(): Promise<Entry[]> {
    const entries = (await this.store?.load(this.owner).catch(() => [])) ?? [];
    if (entries.some(({ state }) => state !== "done" && state !== "known")) return entries;
    await this.store?.remove(entries.map(({ id }) => id)).catch(() => undefined);
    return [];
  }

  /** Begin to work: this tab has the lock. What the tab before it has stored is the truth. */
  async #work(): Promise<void> {
    const stored = (await this.store?.load(this.owner).catch(() => [])) ?? [];
    if (this.#isStopped) return;
    const runner = createRunner({
      transport,
      inspect: (file) => this.#inspector.inspect(file),
      files: this.#files,
      newKey: newId,
      onChange: (id, entry) => this.#changeHere(id, entry),
      onProgress: (id, bytes) => {
        this.#model.loaded.set(id, bytes);
        this.#show();
      },
      onConnection: (isConnected) => {
        this.#model.isConnected = isConnected;
        this.#show();
      },
      onTwin: ({ name }) => {
        this.#model.repeated = [...this.#model.repeated, name];
        this.#show();
      },
    });
    this.#runner = runner;
    this.#model.addAll(stored);
    runner.add(this.#model.inOrder());
    this.#publish();
  }

  async add(candidates: readonly Candidate[]): Promise<void> {
    const { photos, others } = sift(candidates);
    this.#forgetFinished();
    this.#model.notPhotos = [...this.#model.notPhotos, ...others];
    const returned = this.#takeBack(photos);
    const added = photos.filter((candidate) => !returned.has(candidate));
    const { entries, files, handles } = intake(added, this.owner, () => this.#model.nextOrder());
    for (const [id, file] of files) this.#files.keep(id, file);
    this.#model.addAll(entries);
    this.#publish();
    await this.#store(entries, handles);
    const kept = entries.flatMap(({ id }) => this.#model.entries.get(id) ?? []);
    if (this.#runner) this.#runner.add(kept);
    else this.#tabs?.post({ type: "added", entries: kept, files: this.#filesOf(kept) });
    await this.#save();
  }

  /** Count from the beginning if everything before is over. */
  #forgetFinished(): void {
    if (this.#model.inOrder().every(isOver)) this.#model.forgetSkipped();
    const finished = this.#model.finished();
    this.#ask("remove", finished);
    this.#model.remove(finished);
  }

  async #store(
    entries: readonly Entry[],
    handles: ReadonlyMap<string, FileSystemFileHandle>,
  ): Promise<void> {
    try {
      await this.store?.add(entries, handles);
      if (this.store) this.#markSaved([...handles.keys()]);
    } catch {
      return; // Nothing survives then, and closing the tab asks.
    }
    // The browser must not delete the queue when space gets short. Firefox asks its user.
    void (navigator.storage as StorageManager | undefined)?.persist?.().catch(() => false);
  }

  /** Give files that were dropped again to the entries that miss them. */
  #takeBack(photos: readonly Candidate[]): ReadonlyMap<Candidate, Entry> {
    const returned = matchLost(this.#model.entries.values(), photos);
    for (const [{ file }, entry] of returned) {
      this.#files.keep(entry.id, file);
      if (this.#runner) this.#ask("retry", [entry.id]);
      else this.#tabs?.post({ type: "added", entries: [entry], files: this.#filesOf([entry]) });
    }
    return returned;
  }

  #filesOf(entries: readonly Entry[]): Map<string, Blob> {
    return new Map(
      entries.flatMap(({ id }) => {
        const file = this.#files.ofPage(id);
        return file ? [[id, file] as const] : [];
      }),
    );
  }

  remove(ids: readonly string[]): void {
    this.#ask("remove", ids);
    this.#model.remove(ids);
    this.#publish();
  }

  async retry(ids: readonly string[]): Promise<void> {
    for (const id of ids) {
      if (this.#model.entries.get(id)?.failure?.kind === "locked") await this.#files.unlock(id);
    }
    this.#ask("retry", ids);
  }

  async restore(entries: readonly Entry[]): Promise<void> {
    await runBatch(
      "restore",
      entries.flatMap(({ photoId }) => photoId ?? []),
    );
    this.#ask(
      "restored",
      entries.map(({ id }) => id),
    );
    announceChange();
  }

  stop(): void {
    this.#isStopped = true;
    this.#runner?.stop();
    this.#unsubscribe.abort();
    this.#tabs?.close();
    this.#inspector.stop();
    for (const update of this.#updateGuards) update();
  }

  async clear(): Promise<void> {
    this.#tabs?.post({ type: "cleared" });
    this.stop();
    this.#model.entries.clear();
    this.#publish();
    await this.#writer?.flushed();
    await this.store?.clear(this.owner).catch(() => undefined);
  }

  /** Do something with entries in the tab that works. */
  #ask(command: Command, ids: readonly string[]): void {
    if (this.#runner) obey(this.#runner, command, ids);
    else this.#tabs?.post({ type: "asked", command, ids });
  }

  #receive(message: Message): void {
    if (message.type === "cleared") {
      this.stop();
      this.#model.entries.clear();
    } else if (message.type === "changed") {
      for (const [id, entry] of message.entries) this.#change(id, entry);
      for (const [id, bytes] of message.loaded) this.#model.loaded.set(id, bytes);
    } else if (message.type === "added") {
      this.#addFromTab(message.entries, message.files);
    } else if (this.#runner) {
      obey(this.#runner, message.command, message.ids);
    }
    this.#show();
  }

  /** Also without the lock: this tab may get it before the files are copied. */
  #addFromTab(entries: readonly Entry[], files: ReadonlyMap<string, Blob>): void {
    for (const [id, file] of files) {
      this.#files.keep(id, file);
      this.#copied.add(id); // The other tab copies it.
    }
    this.#model.addAll(entries.filter(({ id }) => !this.#model.entries.has(id)));
    this.#runner?.add(entries);
    this.#runner?.retry(entries.map(({ id }) => id));
  }

  /** Take over a change that this tab has made. */
  #changeHere(id: string, entry: Entry | null): void {
    this.#change(id, entry);
    this.#changed.set(id, entry);
    this.#writer?.write(id, entry);
    this.#show();
  }

  #change(id: string, entry: Entry | null): void {
    const isNew = this.#model.set(id, entry);
    if (isNew) this.#announce();
    if (!entry || (isOver(entry) && entry.state !== "failed")) {
      this.#files.drop(id);
      void this.#save(); // There is room for others now.
    }
  }

  #createSaver(store: UploadStore): () => Promise<void> {
    return createSaver({
      store,
      free: freeBytes,
      pending: () =>
        this.#model
          .inOrder()
          .filter(
            (entry) =>
              !isOver(entry) && entry.size <= LARGEST_HASHED && !this.#copied.has(entry.id),
          ),
      file: (id) => this.#files.ofPage(id),
      onSaved: (ids) => {
        for (const id of ids) this.#copied.add(id);
        this.#markSaved(ids);
      },
    });
  }

  #markSaved(ids: readonly string[]): void {
    if (ids.length === 0) return;
    this.#model.markSaved(ids);
    this.#ask("saved", ids);
    this.#show();
  }

  #publish(): void {
    if (this.#runner && this.#changed.size + this.#model.loaded.size > 0) {
      const entries = new Map(this.#changed);
      this.#changed.clear();
      this.#tabs?.post({ type: "changed", entries, loaded: new Map(this.#model.loaded) });
    }
    const isElsewhere = this.#runner === null && Date.now() > this.#openedAt + LOCK_MS;
    this.view.value = this.#model.view(isElsewhere);
    for (const update of this.#updateGuards) update();
  }
}
