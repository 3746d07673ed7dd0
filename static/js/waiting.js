// Looks whether the bank has answered, ever less often, and shows the page anew when it has. A tab that nobody sees waits.
(() => {
  const shown = document.querySelector("[data-waiting]");
  if (!shown) return;
  let pause = 2000;

  const look = async () => {
    if (!document.hidden) {
      try {
        const answer = await fetch(location.href, { cache: "no-store", credentials: "same-origin" });
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        if (answer.ok && page.querySelector("[data-waiting]")?.dataset.waiting !== shown.dataset.waiting) {
          location.reload();
          return;
        }
      } catch {
        // No network for a moment: the next look may find it.
      }
      pause = Math.min(pause * 1.2, 30_000);
    }
    setTimeout(look, pause);
  };
  setTimeout(look, pause);
})();
