import { computed, shallowRef } from "vue";
import { describe, expect, it, vi } from "vitest";

import type { Photo } from "@/api/types";
import type { PhotoSource } from "@/photos/source";
import { useSelection } from "./selection";

/** A list of which only the first photos are loaded. */
function list(count: number, loaded = count) {
  const photos = shallowRef(
    Array.from({ length: count }, (_, index) => ({ id: `photo-${String(index)}` }) as Photo),
  );
  let known = loaded;
  const load = vi.fn((_first: number, last: number) => {
    known = Math.max(known, last + 1);
    return Promise.resolve();
  });
  const source: PhotoSource = {
    key: "test",
    sections: computed(() => [{ month: "", count }]),
    state: shallowRef("ready" as const),
    error: shallowRef(null),
    isComplete: shallowRef(true),
    at: (position) => (position < known ? photos.value[position] : undefined),
    positionOf: (id) => photos.value.findIndex((photo) => photo.id === id),
    load,
    refresh: () => Promise.resolve(),
    update: () => undefined,
    remove: () => undefined,
  };
  return { source, load };
}

describe("a selection", () => {
  it("has what was selected, until it is taken out or everything is cleared", () => {
    const selection = useSelection(() => list(5).source);
    selection.toggle(1);
    selection.toggle(3);
    selection.toggle(1);
    selection.toggle(9);
    expect([...selection.photos.value.keys()]).toEqual(["photo-3"]);
    expect(selection.isActive.value).toBe(true);
    selection.clear();
    expect(selection.isActive.value).toBe(false);
  });

  it("extends from the last photo to another one, in both directions", async () => {
    const { source } = list(10);
    const selection = useSelection(() => source);
    selection.toggle(5);
    await selection.extendTo(7);
    await selection.extendTo(3);
    expect([...selection.photos.value.keys()].sort()).toEqual(
      [3, 4, 5, 6, 7].map((number) => `photo-${String(number)}`),
    );
  });

  it("begins with one photo if there is none to extend from", async () => {
    const { source } = list(10);
    const selection = useSelection(() => source);
    await selection.extendTo(4);
    expect([...selection.photos.value.keys()]).toEqual(["photo-4"]);
  });

  it("loads what a range has between its ends", async () => {
    const { source, load } = list(1000, 50);
    const selection = useSelection(() => source);
    selection.toggle(0);
    await selection.extendTo(699);
    expect(selection.photos.value.size).toBe(700);
    expect(load).toHaveBeenCalledTimes(4);
  });
});
