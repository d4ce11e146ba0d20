// Runs before the first paint, so that a dark page never flashes white.
(function () {
  const dark = matchMedia("(prefers-color-scheme: dark)");

  function apply() {
    let chosen = null;
    try {
      chosen = localStorage.getItem("theme");
    } catch {
      // Storage may be blocked; the page then follows the system.
    }
    document.documentElement.dataset.theme = chosen || (dark.matches ? "dark" : "light");
  }

  apply();
  dark.addEventListener("change", apply);
  addEventListener("themechange", apply);
})();
