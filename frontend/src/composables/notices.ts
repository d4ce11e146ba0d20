/** Messages that stay while what they report lasts, such as being offline or a download. */
import { shallowRef } from "vue";

export interface Notice {
  message: string;
  /** The part that is done, if it is known. */
  progress?: { value?: number; max?: number };
  action?: { label: string; run: () => void };
}

export const notices = shallowRef<ReadonlyMap<string, Notice>>(new Map());

/** Show a notice, or replace the one with the same ID. */
export function setNotice(id: string, notice: Notice): void {
  notices.value = new Map(notices.value).set(id, notice);
}

/** Hide a notice. */
export function removeNotice(id: string): void {
  const left = new Map(notices.value);
  if (left.delete(id)) notices.value = left;
}
