/** Messages at the bottom of the page, of which one is shown at a time, some with `Undo`. */
import { shallowRef } from "vue";

import { messageOf } from "@/api/errors";

export interface Status {
  message: string;
  kind: "done" | "failed";
  /** Takes back what the message reports. */
  undo?: () => Promise<unknown>;
}

const SECONDS = 5;
const SECONDS_WITH_UNDO = 10;

export const status = shallowRef<Status | null>(null);

let timer: ReturnType<typeof setTimeout> | undefined;

function show(next: Status): void {
  status.value = next;
  resumeStatus();
}

/** Report that something was done; `undo` takes it back. */
export function report(message: string, undo?: () => Promise<unknown>): void {
  show({ message, kind: "done", ...(undo && { undo }) });
}

/** Report a failure. */
export function reportError(error: unknown): void {
  show({ message: messageOf(error), kind: "failed" });
}

/** Hide the message. */
export function dismissStatus(): void {
  clearTimeout(timer);
  status.value = null;
}

/** Keep the message while it has the pointer or the focus. */
export function holdStatus(): void {
  clearTimeout(timer);
}

/** Hide the message after a while. */
export function resumeStatus(): void {
  clearTimeout(timer);
  const seconds = status.value?.undo ? SECONDS_WITH_UNDO : SECONDS;
  timer = setTimeout(dismissStatus, seconds * 1000);
}

/** Take back what the message reports. */
export async function undoStatus(): Promise<void> {
  const undo = status.value?.undo;
  dismissStatus();
  try {
    await undo?.();
  } catch (error) {
    reportError(error);
  }
}
