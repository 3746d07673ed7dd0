// The code that was typed on the page of giving goes along to the page of keeping, past signing in, without standing in
// an address: this tab remembers it, hands it over once, and forgets it after an hour or as soon as it is used.
(() => {
  const NAME = "abs-keep-code";
  const HOUR = 60 * 60 * 1000;

  const isOld = ([, since]) => Date.now() - since > HOUR;
  const stored = sessionStorage.getItem(NAME);
  if (stored && isOld(JSON.parse(stored))) sessionStorage.removeItem(NAME);

  // An empty data-keep-code means: what stands in the code field of this page.
  document.querySelector("[data-keep-code]")?.addEventListener("click", (event) => {
    const code = event.currentTarget.dataset.keepCode || document.querySelector("[data-code-field]")?.value;
    if (code) sessionStorage.setItem(NAME, JSON.stringify([code, Date.now()]));
  });

  const form = document.querySelector("[data-forget-code]");
  const kept = form && sessionStorage.getItem(NAME);
  if (!kept) return;
  sessionStorage.removeItem(NAME);
  const field = form.querySelector("[data-code-field]");
  if (!field.value) field.value = JSON.parse(kept)[0];
})();
