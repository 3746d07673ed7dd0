// The neighbourhood that a visitor asked this browser to remember, the amounts of the home page, and the page for when
// there is no network. The neighbourhood stays on the device; only the cards near it are asked for.
(() => {
  const KEY = "abs.buurt";
  const read = () => { try { return localStorage.getItem(KEY) || ""; } catch { return ""; } };
  const write = (slug) => { try { slug ? localStorage.setItem(KEY, slug) : localStorage.removeItem(KEY); } catch { /* it remembers nothing, then */ } };

  const near = document.querySelector("[data-near]");
  if (near && read()) {
    fetch(`${near.dataset.near}?buurt=${encodeURIComponent(read())}`).then((answer) => {
      if (answer.status === 404) write("");
      return answer.ok ? answer.text() : "";
    }).then((html) => {
      if (!html || near.contains(document.activeElement)) return;
      near.innerHTML = html;
      near.className = "abs-stack abs-near--cards";
    }).catch(() => {});
  }

  const button = document.querySelector("[data-remember]");
  if (button) {
    const status = document.querySelector("[data-remember-status]");
    const name = () => { button.textContent = read() === button.dataset.remember ? button.dataset.forgetText : button.dataset.rememberText; };
    name();
    button.hidden = false;
    button.addEventListener("click", () => {
      const forget = read() === button.dataset.remember;
      write(forget ? "" : button.dataset.remember);
      status.textContent = forget ? status.dataset.forgottenText : status.dataset.rememberedText;
      name();
    });
  }

  const live = document.querySelector("[data-live]");
  if (live) {
    setInterval(() => {
      if (document.hidden) return;
      fetch(live.dataset.live).then((answer) => answer.json()).then((totals) => {
        for (const figure of live.querySelectorAll("[data-figure]")) {
          const text = totals[figure.dataset.figure];
          if (text && figure.textContent.trim() !== text) figure.textContent = text;
        }
      }).catch(() => {});
    }, 30000);
  }

  const worker = document.currentScript && document.currentScript.dataset.worker;
  if (worker && "serviceWorker" in navigator) addEventListener("load", () => navigator.serviceWorker.register(worker).catch(() => {}));
})();
