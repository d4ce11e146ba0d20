/** The part of a grid that is in the document: rows near the window, at stable places. */
import { onBeforeUnmount, onMounted, shallowRef, watch, type Ref, type ShallowRef } from "vue";

import { nextDetail } from "@/photos/detail";
import {
  layoutGrid,
  positionAt,
  Ratios,
  renderBetween,
  rowBounds,
  sectionAt,
  sectionOf,
  type GridLayout,
  type Rendered,
} from "@/photos/grid";
import type { Geometry } from "@/photos/layout";
import { countOf, type PhotoSource, type Section } from "@/photos/source";
import { forgetPlace, recallPlace, rememberPlace, type Place } from "./scrollMemory";

export interface VirtualGrid {
  readonly layout: ShallowRef<GridLayout>;
  readonly rendered: ShallowRef<readonly Rendered[]>;
  /** The positions of the photos that are shown with all that belongs to them. */
  readonly detailed: ShallowRef<ReadonlySet<number>>;
  /** Whether people scroll too fast for images to be of use. */
  readonly isFast: ShallowRef<boolean>;
  /** The section at the top of the window. */
  readonly current: ShallowRef<number>;
  /** How far the window is between the top (0) and the bottom (1). */
  readonly progress: ShallowRef<number>;
  /** Load what is shown, again after a failure. */
  load(): void;
  /** Keep the row of a position in the document, since it has the focus. */
  keep(position: number | null): void;
  scrollToSection(index: number): void;
  scrollToProgress(progress: number): void;
  /** Scroll until the row of a position is visible, if it is not. */
  reveal(position: number): void;
}

/** The shape of a list that is not known yet. */
const UNKNOWN: readonly Section[] = [{ month: "", count: 60 }];
/** Rendered rows above and below the window, as a part of its height, and at most in pixels. */
const OVERSCAN = 0.6;
const MOST_OVERSCAN = 700;
/** Photos near the window are loaded before they are reached. */
const AHEAD = 1.5;
/** Milliseconds without scrolling after which it has ended. */
const SETTLED = 90;
/** Windows per second beyond which nobody recognizes a photo. */
const FAST = 6;
/** Photos that become complete in one frame, so that scrolling never stutters. */
const COMPLETED = 8;
/** Their shapes are learned as far from the window as this number of photos. */
const LEARNED = 500;

export function useVirtualGrid(
  source: () => PhotoSource,
  root: Readonly<Ref<HTMLElement | null>>,
): VirtualGrid {
  const ratios = new Ratios();
  const layout = shallowRef(layoutGrid([], ratios, { width: 0, target: 1, gap: 0 }));
  const rendered = shallowRef<readonly Rendered[]>([]);
  const detailed = shallowRef<ReadonlySet<number>>(new Set());
  const isFast = shallowRef(false);
  const current = shallowRef(0);
  const progress = shallowRef(0);

  let geometry: Geometry = layout.value.geometry;
  let place: Place | null = null;
  /** The section that was jumped to. It stays the current one although others fit, too. */
  let pinned: string | null = null;
  let kept: number | null = null;
  let barHeight = 0;
  let isRestored = false;
  let renderedAt = Infinity;
  let isMounted = false;
  let frame = 0;
  let isScrolled = false;
  let hasScrolled = false;
  let settling: ReturnType<typeof setTimeout> | undefined;
  let last = { top: 0, at: 0 };

  const sectionsOf = () => {
    const { sections, state } = source();
    return state.value === "loading" && sections.value.length === 0 ? UNKNOWN : sections.value;
  };
  const at = (position: number) => source().at(position);

  /** Return the part of the grid below the bar at the top, in pixels from its own top. */
  function visible(): { start: number; end: number } {
    const top = root.value?.getBoundingClientRect().top ?? 0;
    return { start: barHeight - top, end: window.innerHeight - top };
  }

  function render(): void {
    const { start, end } = visible();
    // After a jump, what is visible comes first, and the rows around it one frame later.
    const isJump = Math.abs(start - renderedAt) > end - start;
    renderedAt = start;
    if (isJump) renderSoon();
    const extra = isJump ? 0 : Math.min(MOST_OVERSCAN, (end - start) * OVERSCAN);
    const next = renderBetween(layout.value, start - extra, end + extra, kept);
    if (!isSame(rendered.value, next)) rendered.value = next;
    complete(start, end);
    const most = Math.max(1, layout.value.height - (end - start));
    progress.value = Math.min(1, Math.max(0, start / most));
    current.value = pinnedIndex() ?? sectionAt(layout.value, start);
    place = placeAt(start);
  }

  function complete(start: number, end: number): void {
    const before = detailed.value;
    // A list that opens has nothing yet that could stutter: its first photos are awaited.
    const most = isFast.value ? 0 : before.size === 0 && !hasScrolled ? Infinity : COMPLETED;
    const { positions, isFinished } = nextDetail(
      rendered.value,
      before,
      at,
      { start, end, kept },
      most,
    );
    const isChanged =
      positions.size !== before.size || [...positions].some((each) => !before.has(each));
    if (isChanged) detailed.value = positions;
    if (!isFinished && !isFast.value) renderSoon();
  }

  /** Render once in the next frame: each time, the browser has to lay out what changed. */
  function renderSoon(): void {
    frame ||= requestAnimationFrame(() => {
      frame = 0;
      if (isScrolled) followScroll();
      render();
    });
  }

  function pinnedIndex(): number | null {
    const index = layout.value.sections.findIndex(({ month }) => month === pinned);
    return pinned === null || index < 0 ? null : index;
  }

  function placeAt(start: number): Place | null {
    // At the very top, photos that are added push the others down.
    if (start <= 0 || sectionsOf() === UNKNOWN) return null;
    const position = positionAt(layout.value, start);
    const section = layout.value.sections[sectionOf(layout.value, position)];
    if (!section) return null;
    const offset = start - rowBounds(layout.value, position).top;
    const id = at(position)?.id ?? null;
    return { month: section.month, index: position - section.first, position, id, offset };
  }

  /** Return where a place is now. */
  function positionOfPlace({ month, index, id }: Place): number {
    const position = id === null ? -1 : source().positionOf(id);
    if (position >= 0) return position;
    const { sections } = layout.value;
    const exact = sections.find((section) => section.month === month);
    if (exact) return exact.first + Math.min(index, exact.count - 1);
    return sections.find((section) => section.month < month)?.first ?? 0;
  }

  /** Lay out again after a change, and keep what is visible where it is. */
  function relayout(): void {
    if (!isMounted || geometry.width <= 0) return;
    layout.value = layoutGrid(sectionsOf(), ratios, geometry, layout.value);
    restore();
    const { start } = visible();
    let target = start;
    const pin = pinnedIndex();
    if (pin !== null) target = layout.value.sections[pin]?.top ?? start;
    else if (place) {
      target = rowBounds(layout.value, positionOfPlace(place)).top + place.offset;
    }
    const distance = target - start;
    if (root.value) root.value.style.height = `${String(layout.value.height)}px`;
    if (Math.abs(distance) >= 1) scrollBy(distance);
    render();
  }

  function restore(): void {
    if (isRestored || source().state.value !== "ready") return;
    isRestored = true;
    const recalled = recallPlace(source().key);
    if (!recalled) return;
    place = recalled;
    const isBeyond = recalled.position >= countOf(sectionsOf());
    if (source().isComplete.value || !isBeyond) return;
    void source()
      .load(0, recalled.position)
      .then(() => {
        place = recalled;
        relayout();
      });
  }

  function scrollBy(distance: number): void {
    window.scrollBy({ top: distance, behavior: "instant" });
  }

  /** Learn from what was loaded. */
  function learn(): void {
    const position = positionAt(layout.value, visible().start);
    const sections = sectionsOf();
    const isNew = ratios.learn(sections, at, position - LEARNED, position + LEARNED);
    const isChanged = sections.length !== layout.value.sections.length || isNew;
    if (isChanged || sections.some(differs)) relayout();
    else render();
    load();
  }

  function differs(section: Section, index: number): boolean {
    const old = layout.value.sections[index];
    return old?.month !== section.month || old.count !== section.count;
  }

  /** Return the positions to load: those in the window, and some around it. */
  function needed(): { first: number; last: number } {
    const { start, end } = visible();
    const extra = (end - start) * AHEAD;
    const first = positionAt(layout.value, start - extra / 2);
    const next = positionAt(layout.value, end + extra);
    const count = countOf(sectionsOf());
    // Lists without counters have their next page beyond what is known.
    const isNearEnd = end + extra >= layout.value.height;
    const lastPosition = isNearEnd && !source().isComplete.value ? count : next + 12;
    return { first, last: Math.min(lastPosition, Math.max(0, count)) };
  }

  let calls = 0;

  function load(attempts = 3): void {
    const call = ++calls;
    const { first, last: end } = needed();
    void source()
      .load(first, end)
      .then(() => {
        // Another list of the page may have had its turn.
        const isMissing = sectionsOf() !== UNKNOWN && at(first) === undefined;
        if (isMounted && call === calls && isMissing && !source().error.value && attempts > 0) {
          load(attempts - 1);
        }
      });
  }

  function onScroll(): void {
    isScrolled = true;
    renderSoon();
  }

  function followScroll(): void {
    isScrolled = false;
    hasScrolled = true;
    const now = performance.now();
    const top = window.scrollY;
    const speed = (Math.abs(top - last.top) / Math.max(16, now - last.at)) * 1000;
    isFast.value = speed > FAST * window.innerHeight;
    last = { top, at: now };
    if (pinned !== null && !isAtPinned()) pinned = null;
    clearTimeout(settling);
    settling = setTimeout(settle, SETTLED);
    if (!isFast.value) loadSoon();
  }

  let loadedAt = 0;

  function loadSoon(): void {
    const now = performance.now();
    if (now - loadedAt < SETTLED) return;
    loadedAt = now;
    load();
  }

  function settle(): void {
    isFast.value = false;
    render();
    load();
    if (place) rememberPlace(source().key, place);
    else if (isRestored) forgetPlace(source().key);
  }

  function isAtPinned(): boolean {
    const top = layout.value.sections[pinnedIndex() ?? 0]?.top ?? 0;
    const { start } = visible();
    const isAtEnd =
      window.scrollY + window.innerHeight >= document.documentElement.scrollHeight - 2;
    return Math.abs(start - top) < 2 || (isAtEnd && top > start);
  }

  function measure(): void {
    if (!root.value) return;
    const style = getComputedStyle(root.value);
    const width = root.value.clientWidth;
    const gap = parseFloat(style.getPropertyValue("--photo-gap"));
    barHeight = parseFloat(style.getPropertyValue("--bar-height"));
    geometry = { width, gap, target: width < 600 ? 116 : width < 1600 ? 196 : 236 };
    relayout();
  }

  const observer = new ResizeObserver(() => {
    if (root.value?.clientWidth !== geometry.width) measure();
    else render();
  });

  onMounted(() => {
    isMounted = true;
    if (root.value) observer.observe(root.value);
    window.addEventListener("scroll", onScroll, { passive: true });
    window.addEventListener("resize", onScroll, { passive: true });
    measure();
    load();
  });

  onBeforeUnmount(() => {
    isMounted = false;
    observer.disconnect();
    clearTimeout(settling);
    cancelAnimationFrame(frame);
    window.removeEventListener("scroll", onScroll);
    window.removeEventListener("resize", onScroll);
  });

  watch(
    () => [source().sections.value, source().state.value, source().at(0)],
    () => {
      if (isMounted) learn();
    },
  );

  return {
    layout,
    rendered,
    detailed,
    isFast,
    current,
    progress,
    load: () => {
      load();
    },
    keep(position) {
      kept = position;
    },
    scrollToSection(index) {
      pinned = layout.value.sections[index]?.month ?? null;
      scrollBy((layout.value.sections[index]?.top ?? 0) - visible().start);
      render();
      load();
    },
    scrollToProgress(value) {
      pinned = null;
      const { start, end } = visible();
      scrollBy(value * (layout.value.height - (end - start)) - start);
      render();
    },
    reveal(position) {
      const { top, bottom } = rowBounds(layout.value, position);
      const { start, end } = visible();
      if (top < start || bottom > end) scrollBy(top - start - (end - start - bottom + top) / 2);
      kept = position;
      render();
    },
  };
}

function isSame(before: readonly Rendered[], after: readonly Rendered[]): boolean {
  return (
    before.length === after.length &&
    after.every((each, index) => {
      const old = before[index];
      return (
        old?.section === each.section &&
        old.cells.length === each.cells.length &&
        old.cells[0]?.index === each.cells[0]?.index &&
        old.cells.at(-1)?.index === each.cells.at(-1)?.index
      );
    })
  );
}
