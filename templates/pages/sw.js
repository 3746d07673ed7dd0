// Shows one page when there is no network. It keeps that page, without anything of whoever is signed in, and its files.
const PAGES = {{ pages|safe }};
const FILES = {{ files|safe }};
const NAME = "offline-{{ version }}";

addEventListener("install", (event) => {
  const bare = Object.values(PAGES).map((url) => new Request(url, { credentials: "omit", cache: "reload" }));
  event.waitUntil(caches.open(NAME).then((cache) => cache.addAll([...bare, ...FILES])).then(() => skipWaiting()));
});

addEventListener("activate", (event) => {
  event.waitUntil(caches.keys().then((names) => Promise.all(names.filter((name) => name !== NAME).map((name) => caches.delete(name)))));
});

addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== "GET" || url.origin !== location.origin) return;
  if (event.request.mode === "navigate") {
    const prefix = Object.keys(PAGES).find((one) => one && (url.pathname + "/").startsWith(one + "/")) || "";
    event.respondWith(fetch(event.request).catch(() => caches.match(PAGES[prefix])));
  } else if (FILES.includes(url.pathname + url.search)) {
    event.respondWith(caches.match(event.request).then((kept) => kept || fetch(event.request)));
  }
});
