/** Works through the queue: hash, ask what the album knows, upload four files at a time. */
import { TOKEN_REJECTED } from "@/api/client";
import { ApiError } from "@/api/errors";
import { delayAfter } from "./backoff";
import { isOver, next, type Entry, type Event } from "./entry";
import { LostFile, type Files } from "./files";
import type { Inspect } from "./hash";
import type { Transport } from "./transport";
import { text } from "@/text/en";

const AT_A_TIME = 4;
const LARGEST_GROUP = 200; // hashes in one request
/** Hashing runs ahead of the uploads by so many files, not through the whole queue. */
const AHEAD = 400;
/** The album takes no photo larger than that, so it is neither read nor hashed to hear so. */
export const LARGEST_HASHED = 100_000_000;

export interface RunnerDeps {
  transport: Transport;
  inspect: Inspect;
  files: Files;
  newKey: () => string;
  random?: () => number;
  /** Called after every change, with null for an entry that was removed. */
  onChange: (id: string, entry: Entry | null) => void;
  onProgress: (id: string, bytes: number) => void;
  /** Called when the connection is lost, and when a request succeeds again. */
  onConnection: (isConnected: boolean) => void;
  /** Called when a file was skipped because its bytes are also in `twin`. */
  onTwin: (entry: Entry, twin: Entry) => void;
}

export type Runner = ReturnType<typeof createRunner>;

export function createRunner(deps: RunnerDeps) {
  const entries = new Map<string, Entry>();
  const twins = new Map<string, string>(); // from hashes to the first entry that has them
  /** The entries that wait, by what they wait for, in their order. */
  const stages = { hash: new Set<string>(), check: new Set<string>(), ready: new Set<string>() };
  const active = new Map<string, AbortController>();
  const sleepers = new Set<() => void>();
  const whole = new AbortController();
  let isHashing = false;
  let isChecking = false;

  /** Keep an entry, or remove it, and what it waits for. */
  function set(id: string, entry: Entry | null): void {
    const stage = entry && stageOf(entry);
    for (const [name, ids] of Object.entries(stages)) {
      if (name === stage) ids.add(id);
      else ids.delete(id);
    }
    if (entry) entries.set(id, entry);
    else entries.delete(id);
    deps.onChange(id, entry);
  }

  function apply(id: string, event: Event): Entry | undefined {
    const before = entries.get(id);
    if (!before) return undefined;
    const after = next(before, event);
    if (after !== before) set(id, after);
    return after;
  }

  /** Start whatever can be started. Called after every step. */
  function pump(): void {
    if (whole.signal.aborted) return;
    while (active.size < AT_A_TIME) {
      const id = firstReady();
      if (id === undefined) break;
      void upload(id);
    }
    if (!isHashing && canHash()) void run(hashNext, (value) => (isHashing = value));
    if (!isChecking && canCheck()) void run(checkNext, (value) => (isChecking = value));
  }

  /** Run one step of a stage that works on its own. */
  async function run(step: () => Promise<void>, mark: (isRunning: boolean) => void): Promise<void> {
    mark(true);
    await step().finally(() => mark(false));
    pump();
  }

  function canHash(): boolean {
    return stages.hash.size > 0 && stages.check.size + stages.ready.size < AHEAD;
  }

  /** Ask for a full group, or for what there is if nothing follows or uploads wait for it. */
  function canCheck(): boolean {
    const { check, hash } = stages;
    if (check.size === 0 || check.size >= LARGEST_GROUP) return check.size > 0;
    const isStarving = active.size < AT_A_TIME && firstReady() === undefined;
    return isStarving || (hash.size === 0 && !isHashing);
  }

  function firstReady(): string | undefined {
    for (const id of stages.ready) if (!active.has(id)) return id;
    return undefined;
  }

  async function hashNext(): Promise<void> {
    const [id = ""] = stages.hash;
    const entry = entries.get(id);
    if (!entry) return;
    if (entry.size > LARGEST_HASHED) return void apply(id, { type: "checked" });
    try {
      const found = await deps.inspect(await deps.files.open(entry));
      if (whole.signal.aborted) return;
      const hashed = apply(id, { type: "hashed", ...found });
      if (!hashed) return; // canceled
      if (found.sha256 === null) apply(id, { type: "checked" });
      else skipTwin(hashed, found.sha256);
    } catch (error) {
      fail(id, error instanceof LostFile ? error : new LostFile("lost"));
    }
  }

  /** Drop a file whose bytes another file of the queue has. */
  function skipTwin(entry: Entry, sha256: string): void {
    const twin = entries.get(twins.get(sha256) ?? "");
    // A twin that is over may have failed, or its photo may have been deleted since.
    if (!twin || twin.id === entry.id || twin.sha256 !== sha256 || isOver(twin)) {
      twins.set(sha256, entry.id);
      return;
    }
    remove([entry.id]);
    deps.onTwin(entry, twin);
  }

  /** Ask the album what it knows of the next group. */
  async function checkNext(): Promise<void> {
    const group = [...stages.check].slice(0, LARGEST_GROUP).flatMap((id) => entries.get(id) ?? []);
    const hashes = group.map(({ sha256 }) => sha256 ?? "");
    const known = await repeated(() => deps.transport.known(hashes, whole.signal), whole.signal);
    if (known === "stopped") return;
    for (const { id, sha256 } of group) {
      const photo = known === "failed" ? undefined : known.get(sha256 ?? "");
      // Even unasked, an upload is safe: the album itself skips what it has.
      apply(id, photo ? { type: "found", ...photo } : { type: "checked" });
    }
  }

  /** Do `request` until it succeeds, or fails for another reason than its connection. */
  async function repeated<T>(
    request: () => Promise<T>,
    signal: AbortSignal,
  ): Promise<T | "failed" | "stopped"> {
    for (let attempt = 1; ; attempt++) {
      try {
        const result = await request();
        deps.onConnection(true);
        return result;
      } catch (error) {
        if (signal.aborted || isSessionOver(error)) return "stopped";
        const delay = error instanceof ApiError ? delayAfter(error, attempt, deps.random) : null;
        if (delay === null) return "failed";
        await sleep(delay, error, signal);
        if (signal.aborted) return "stopped";
      }
    }
  }

  async function upload(id: string): Promise<void> {
    const controller = new AbortController();
    active.set(id, controller);
    try {
      for (let attempt = 1; !controller.signal.aborted; attempt++) {
        const delay = await attemptUpload(id, attempt, controller.signal);
        if (delay === null) break;
        await sleep(delay.ms, delay.error, controller.signal);
      }
    } finally {
      active.delete(id);
      pump();
    }
  }

  /** Try once; return how long to wait before the next attempt, or null if it is over. */
  async function attemptUpload(
    id: string,
    attempt: number,
    signal: AbortSignal,
  ): Promise<{ ms: number; error: unknown } | null> {
    const entry = apply(id, { type: "started" });
    if (!entry) return null;
    let file: Blob | null = null;
    try {
      file = await deps.files.open(entry);
      const outcome = await deps.transport.upload(entry, file, progressOf(id, signal), signal);
      deps.onConnection(true);
      const { photoId, isTrashed } = outcome;
      // After an interruption, a duplicate is what the earlier attempt has stored.
      const isFound = outcome.isDuplicate && (isTrashed || !entry.wasTried);
      apply(id, { type: isFound ? "found" : "stored", photoId, isTrashed });
      return null;
    } catch (error) {
      if (signal.aborted) return null;
      if (error instanceof LostFile) return fail(id, error);
      if (isSessionOver(error)) {
        apply(id, { type: "interrupted" });
        stop();
        return null;
      }
      if (!(error instanceof ApiError)) return fail(id, unexpected());
      // The browser reports a file that has been moved as a lost connection.
      if (error.status === 0 && file && !(await deps.files.isReadable(file))) {
        if (!(await deps.files.forget(entry))) return fail(id, new LostFile("lost"));
      }
      const ms = delayAfter(error, attempt, deps.random);
      if (ms === null) return fail(id, error);
      apply(id, { type: "interrupted" });
      deps.onProgress(id, 0);
      return { ms, error };
    }
  }

  function progressOf(id: string, signal: AbortSignal) {
    const unlessOver = (event: Event) => void (signal.aborted || apply(id, event));
    return {
      loaded: (bytes: number) => void (signal.aborted || deps.onProgress(id, bytes)),
      begun: (photoId: string) => unlessOver({ type: "begun", photoId }),
      sent: () => unlessOver({ type: "sent" }),
      unsent: () => unlessOver({ type: "unsent" }),
    };
  }

  function fail(id: string, error: ApiError | LostFile): null {
    if (error instanceof LostFile) {
      apply(id, { type: "failed", kind: error.kind, reason: text.uploads[error.kind] });
    } else {
      const kind = error.isTemporary ? "unreachable" : "rejected";
      apply(id, { type: "failed", kind, reason: error.message });
    }
    return null;
  }

  /** Wait, but not longer than until the network returns if that is what is missing. */
  function sleep(ms: number, error: unknown, signal: AbortSignal): Promise<void> {
    const isLost = error instanceof ApiError && error.status === 0;
    if (isLost) deps.onConnection(false);
    return new Promise((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        signal.removeEventListener("abort", wake);
        sleepers.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, ms);
      if (isLost) sleepers.add(wake);
      signal.addEventListener("abort", wake);
    });
  }

  function remove(ids: readonly string[]): void {
    for (const id of ids) {
      if (!entries.has(id)) continue;
      active.get(id)?.abort();
      set(id, null);
    }
  }

  function stop(): void {
    whole.abort();
    for (const controller of active.values()) controller.abort();
  }

  return {
    entries: entries as ReadonlyMap<string, Entry>,
    /** Add entries at the end, such as those of an earlier page: what was under way waits again. */
    add(added: readonly Entry[]): void {
      for (const entry of added) {
        if (entries.has(entry.id)) continue;
        const waits = next(entry, { type: "interrupted" });
        set(entry.id, waits);
        if (entry.sha256 && !twins.has(entry.sha256)) twins.set(entry.sha256, entry.id);
      }
      pump();
    },
    apply,
    /** Forget entries, and stop their requests. */
    remove(ids: readonly string[]): void {
      remove(ids);
      pump();
    },
    retry(ids: readonly string[]): void {
      for (const id of ids) apply(id, { type: "retried", key: deps.newKey() });
      pump();
    },
    /** Call it when the browser comes online. */
    wake(): void {
      for (const wake of [...sleepers]) wake();
    },
    /** Stop everything; entries keep their states for the next page. */
    stop,
    /** Whether anything is left to do. */
    isBusy: () => [...entries.values()].some((entry) => !isOver(entry)),
  };
}

function unexpected(): ApiError {
  return new ApiError(text.errors.unexpected(0), "UnexpectedError", 500);
}

function stageOf({ state, isChecked, sha256 }: Entry): "hash" | "check" | "ready" | null {
  if (state !== "waiting") return null;
  if (isChecked) return "ready";
  return sha256 === null ? "hash" : "check";
}

function isSessionOver(error: unknown): boolean {
  if (!(error instanceof ApiError)) return false;
  return error.status === 401 || (error.status === 403 && error.code === TOKEN_REJECTED);
}
