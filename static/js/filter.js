// Filters the list without a reload: it fetches the page that the form would open, and takes its parts over. The address
// bar holds the filter and Back works; where anything fails the browser opens the page itself.
const form = document.querySelector("[data-filter]");
const status = document.querySelector("[data-filter-status]");
const PAUSE = 350;
let asked = null;
let typing = 0;

const results = () => document.querySelector("[data-results]");

function addressOf(fields) {
  const query = new URLSearchParams();
  for (const [name, value] of new FormData(fields)) {
    if (value) query.append(name, value);
  }
  // The order that comes by itself is no choice.
  const usual = query.has("zoek") ? "treffer" : "mix";
  if (query.get("volgorde") === usual || (!query.has("zoek") && query.get("volgorde") === "treffer")) query.delete("volgorde");
  if (query.has("zoek") && query.get("volgorde") === "mix" && !new URLSearchParams(location.search).has("zoek")) {
    query.delete("volgorde");
  }
  const written = query.toString();
  return form.action.split("?")[0] + (written ? `?${written}` : "");
}

function takeOver(page) {
  const focused = document.activeElement?.id;
  const more = form.querySelector("details");
  const isOpen = more?.open;
  for (const selector of ["[data-results]", "[data-filter-part]", "[data-map-live]", ".abs-map__city"]) {
    const here = document.querySelector(selector);
    const there = page.querySelector(selector);
    if (here && there) here.replaceWith(document.adoptNode(there));
  }
  if (isOpen) form.querySelector("details").open = true;
  document.title = page.title;
  if (focused && document.activeElement?.id !== focused) document.getElementById(focused)?.focus({ preventScroll: true });
}

async function show(address, { keep, scroll } = {}) {
  asked?.abort();
  asked = new AbortController();
  const mine = asked;
  results().setAttribute("aria-busy", "true");
  let text;
  try {
    const answer = await fetch(address, { signal: mine.signal });
    if (!answer.ok) throw new Error(String(answer.status));
    text = await answer.text();
  } catch (error) {
    if (error.name !== "AbortError") location.assign(address);
    return;
  }
  const page = new DOMParser().parseFromString(text, "text/html");
  if (!page.querySelector("[data-results]")) {
    location.assign(address);
    return;
  }
  if (keep === "push") history.pushState({ list: true }, "", address);
  if (keep === "replace") history.replaceState({ list: true }, "", address);
  takeOver(page);
  status.textContent = results().querySelector("[data-results-title]").textContent.trim();
  if (scroll) {
    results().scrollIntoView({ block: "start" });
    results().focus({ preventScroll: true });
  }
  document.dispatchEvent(new CustomEvent("abs:list"));
}

/** The form says what the address says, after Back. */
function fillIn() {
  const query = new URLSearchParams(location.search);
  form.querySelector("#zoek").value = query.get("zoek") ?? "";
}

if (form && status && window.AbortController) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    clearTimeout(typing);
    show(addressOf(form), { keep: "push" });
  });
  form.addEventListener("change", (event) => {
    if (event.target.matches("select")) show(addressOf(form), { keep: "push" });
  });
  form.addEventListener("input", (event) => {
    if (!event.target.matches("#zoek")) return;
    clearTimeout(typing);
    typing = setTimeout(() => show(addressOf(form), { keep: "replace" }), PAUSE);
  });
  document.addEventListener("click", (event) => {
    const link = event.target.closest(".abs-list-columns a[href]");
    if (!link || event.defaultPrevented || event.button || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const href = link.href.baseVal ?? link.href;
    const url = new URL(href, location.href);
    if (url.origin !== location.origin || url.pathname !== new URL(form.action).pathname) return;
    if (link.getAttribute("href").startsWith("#")) return;
    event.preventDefault();
    url.hash = "";
    const isOnMap = Boolean(link.closest("svg"));
    show(url.href, { keep: "push", scroll: !isOnMap }).then(fillIn);
  });
  window.addEventListener("popstate", () => {
    if (new URL(form.action).pathname !== location.pathname) return;
    fillIn();
    show(location.href);
  });
}
