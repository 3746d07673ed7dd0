// A page that only passes something on: nobody needs to press its button. Coming back to it with Back sends nothing.
(() => {
  const [navigation] = performance.getEntriesByType("navigation");
  if (navigation?.type === "back_forward") return;
  document.querySelector("[data-continue]")?.requestSubmit();
})();
