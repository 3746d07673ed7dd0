// Keeps the progress of long work up to date without loading the page, and loads it anew once the work is over.
// What changed is told to screen readers now and then, not with every step. A tab that nobody sees waits.
(() => {
  const box = document.querySelector("[data-progress]");
  if (!box) return;
  const said = document.querySelector("[data-progress-said]");
  const PAUSE = 2000;
  const SAY_EVERY = 10; // percents
  let told = -SAY_EVERY;
  let state = box.querySelector("[data-state]").dataset.state;

  const tell = (part) => {
    const percent = Number(part.querySelector("progress")?.getAttribute("value") ?? 0);
    if (part.dataset.state !== state || percent - told >= SAY_EVERY) {
      told = percent;
      said.textContent = part.querySelector("p").textContent.replace(/\s+/g, " ").trim();
    }
  };

  const look = async () => {
    if (!document.hidden) {
      try {
        const answer = await fetch(box.dataset.progress, { cache: "no-store", credentials: "same-origin" });
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        const part = page.querySelector("[data-state]");
        if (answer.redirected || !part) {
          location.reload(); // signed out, or asked for the second step: the page says so
          return;
        }
        if (!["waiting", "running"].includes(part.dataset.state)) {
          location.reload();
          return;
        }
        tell(part);
        const hadFocus = box.contains(document.activeElement);
        if (part.dataset.state !== state || !hadFocus) box.replaceChildren(part);
        state = part.dataset.state;
      } catch {
        // No network for a moment: the next look may find it.
      }
    }
    setTimeout(look, PAUSE);
  };
  setTimeout(look, PAUSE);
})();
