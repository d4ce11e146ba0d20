/** The queue as the page sees it. */
import type { ShallowRef } from "vue";

import type { Candidate } from "./drop";
import type { Entry } from "./entry";

export interface View {
  /** In the order in which they are sent. */
  readonly entries: readonly Entry[];
  /** Bytes sent of the files under way. */
  readonly loaded: ReadonlyMap<string, number>;
  /** Names of files that were skipped. */
  readonly notPhotos: readonly string[];
  readonly repeated: readonly string[];
  readonly isConnected: boolean;
  /** Whether another tab does the work. */
  readonly isElsewhere: boolean;
}

export interface Queue {
  readonly owner: string;
  readonly view: Readonly<ShallowRef<View>>;
  /** Add files. When the promise resolves, they are stored, as far as there is room. */
  add(candidates: readonly Candidate[]): Promise<void>;
  /** Stop uploading entries, and forget them. */
  remove(ids: readonly string[]): void;
  retry(ids: readonly string[]): Promise<void>;
  /** Put photos that were found in the trash back. Raises ApiError. */
  restore(entries: readonly Entry[]): Promise<void>;
  /** Stop working; the queue stays for the next page. */
  stop(): void;
  /** Stop working, and forget everything of the account. */
  clear(): Promise<void>;
}
