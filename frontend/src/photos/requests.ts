/** Which part of a long list to request next, while people scroll past most of it. */
import type { ListQuery, PhotoPage } from "@/api/types";

export interface Requests {
  /** Request what is missing between two positions; the last call comes first. */
  load(first: number, last: number): Promise<void>;
  /** Cancel everything. */
  forget(): void;
}

export interface RequestOptions<Part> {
  /** Return the parts of the list between two positions. */
  between(first: number, last: number): readonly Part[];
  /** Return the request for what a part has missing between two positions, or null. */
  missing(part: Part, first: number, last: number): ListQuery | null;
  send(query: ListQuery, signal: AbortSignal): Promise<PhotoPage>;
  accept(part: Part, query: ListQuery, page: PhotoPage): void;
  /** Take a failure. Nothing is requested again until the next `load`. */
  fail(error: unknown): void;
}

interface Wanted {
  first: number;
  last: number;
  done: () => void;
}

/** More would delay the request for what is shown now. */
const SIMULTANEOUS = 2;
/** Calls of `load` that wait at the same time; older ones are dropped. */
const MOST_WANTED = 3;
/** Milliseconds after which a request for what was scrolled past is cancelled: most end sooner. */
const PATIENCE = 300;

/** Return a queue that sends one request at a time for each part. */
export function requestQueue<Part>(options: RequestOptions<Part>): Requests {
  /** The last call first. */
  let wanted: Wanted[] = [];
  const active = new Map<Part, { controller: AbortController; startedAt: number }>();

  function finish(kept: Wanted[]): void {
    const dropped = wanted.filter((each) => !kept.includes(each));
    wanted = kept;
    for (const { done } of dropped) done();
  }

  function start(part: Part, query: ListQuery): void {
    const controller = new AbortController();
    active.set(part, { controller, startedAt: Date.now() });
    const isCurrent = () => active.get(part)?.controller === controller;
    options
      .send(query, controller.signal)
      .then(
        (page) => {
          if (!isCurrent()) return;
          active.delete(part);
          options.accept(part, query, page);
        },
        (error: unknown) => {
          if (!isCurrent()) return;
          active.delete(part);
          finish([]);
          options.fail(error);
        },
      )
      .finally(next);
  }

  function next(): void {
    const isLatest = (each: Wanted) => each === wanted[0];
    for (const each of [...wanted]) {
      const middle = (each.first + each.last) / 2;
      const parts = options.between(each.first, each.last);
      const waiting = parts
        .filter((part) => !active.has(part))
        .map((part) => ({ part, query: options.missing(part, each.first, each.last) }))
        .filter((found): found is { part: Part; query: ListQuery } => found.query !== null);
      if (waiting.length === 0 && !parts.some((part) => active.has(part))) {
        finish(wanted.filter((other) => other !== each));
        continue;
      }
      waiting.sort((a, b) => distance(a.part, middle) - distance(b.part, middle));
      for (const { part, query } of waiting) {
        if (active.size >= SIMULTANEOUS && isLatest(each)) cancelUnwanted();
        if (active.size >= SIMULTANEOUS) return;
        start(part, query);
      }
    }
  }

  /** Parts are in the order of the list: the one that has the position is the nearest. */
  function distance(part: Part, position: number): number {
    return options.between(position, position).includes(part) ? 0 : 1;
  }

  /** Make room for what is shown now. */
  function cancelUnwanted(): void {
    const parts = new Set(wanted.flatMap(({ first, last }) => options.between(first, last)));
    for (const [part, { controller, startedAt }] of active) {
      if (parts.has(part) || Date.now() - startedAt < PATIENCE) continue;
      active.delete(part);
      controller.abort();
    }
  }

  return {
    load(first, last) {
      return new Promise((done) => {
        const latest = { first, last, done };
        wanted = [latest, ...wanted];
        finish(wanted.slice(0, MOST_WANTED));
        next();
      });
    },
    forget() {
      for (const { controller } of active.values()) controller.abort();
      active.clear();
      finish([]);
    },
  };
}
