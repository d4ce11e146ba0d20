/** The tabs of one account: one of them works, the others show what it does. */
import type { Entry } from "./entry";
import type { Runner } from "./runner";

export type Command = "remove" | "retry" | "restored" | "saved";

export type Message =
  /** Files that another tab got; it has stored their entries. */
  | { type: "added"; entries: Entry[]; files: Map<string, Blob> }
  /** What the working tab has done; null for an entry that was removed. */
  | { type: "changed"; entries: Map<string, Entry | null>; loaded: Map<string, number> }
  /** What the working tab is to do. */
  | { type: "asked"; command: Command; ids: readonly string[] }
  /** The account has been signed out. */
  | { type: "cleared" };

/** Do what a tab has asked for. */
export function obey(runner: Runner, command: Command, ids: readonly string[]): void {
  if (command === "remove") runner.remove(ids);
  else if (command === "retry") runner.retry(ids);
  else for (const id of ids) runner.apply(id, { type: command });
}

export interface Tabs {
  post(message: Message): void;
  /** Leave: another tab may work from now on. */
  close(): void;
}

/** Join the tabs of an account. `onWork` is called once this tab is the one that works. */
export function joinTabs(
  owner: string,
  onMessage: (message: Message) => void,
  onWork: () => void,
): Tabs {
  const channel = new BroadcastChannel(`uploads ${owner}`);
  channel.onmessage = ({ data }: MessageEvent<Message>) => onMessage(data);
  const left = new AbortController();
  const untilLeft = new Promise<void>((resolve) => {
    left.signal.addEventListener("abort", () => resolve());
  });
  // Without a secure context there are no locks; the album itself stores nothing twice.
  const locks = navigator.locks as LockManager | undefined;
  if (!locks) onWork();
  else {
    const work = () => {
      onWork();
      return untilLeft;
    };
    locks.request(`uploads ${owner}`, { signal: left.signal }, work).catch(() => undefined);
  }
  return {
    post(message) {
      if (!left.signal.aborted) channel.postMessage(message);
    },
    close() {
      left.abort();
      channel.close();
    },
  };
}
