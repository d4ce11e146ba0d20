/** Return a function that runs `task` soon, and then at most once in `ms` milliseconds. */
export function throttled(task: () => void, ms: number, firstMs = 0): () => void {
  let timer: ReturnType<typeof setTimeout> | null = null;
  let last = -Infinity;
  return () => {
    if (timer !== null) return;
    const wait = Math.max(firstMs, last + ms - Date.now());
    timer = setTimeout(() => {
      timer = null;
      last = Date.now();
      task();
    }, wait);
  };
}
