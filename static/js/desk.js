// The list by keyboard: while the focus is in it, arrows or j and k go from row to row; Home and End to its ends.
(() => {
  const list = document.querySelector("[data-desk-list]");
  if (!list) return;
  const links = [...list.querySelectorAll(".desk-row__link")];
  const hint = document.querySelector("[data-desk-keys]");
  if (hint) hint.hidden = false;
  const steps = { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1 };

  list.addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const at = links.indexOf(document.activeElement);
    if (at < 0) return;
    let to = at + (steps[event.key] ?? 0);
    if (event.key === "Home") to = 0;
    else if (event.key === "End") to = links.length - 1;
    else if (!(event.key in steps)) return;
    event.preventDefault();
    links[Math.min(Math.max(to, 0), links.length - 1)].focus();
  });
})();
