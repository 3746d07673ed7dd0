// The QR code on the letter holds /v#K7QJ-4MXP-9T2C. A fragment is never sent to a server; this moves it into
// the code field and clears the address bar, so that the code is not left in the history either.
(() => {
  const field = document.querySelector("[data-code-field]");
  const status = document.querySelector("[data-landing-status]");
  if (!field) return;

  const take = () => {
    let text;
    try {
      text = decodeURIComponent(location.hash.slice(1));
    } catch {
      return;
    }
    const length = text.replace(/[\s-]/g, "").length;
    if (!/^[0-9A-Za-z\s-]+$/.test(text) || length < 10 || length > 14) return;
    history.replaceState(null, "", location.pathname + location.search);
    field.value = text.toUpperCase();
    field.dispatchEvent(new Event("change"));
    if (status) status.textContent = status.dataset.text;
  };

  take();
  addEventListener("hashchange", take);
})();
