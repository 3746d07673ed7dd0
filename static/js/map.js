// Puts a pin for every initiative of the list on the map. The map program comes last, or only when it is asked for, and
// without it the drawn town stands there with its links. Texts come from the template.
const box = document.querySelector("[data-map]");
const legend = document.querySelector("[data-map-legend]");
const PIN = 44;
const NEAR = 16;
const THE_NETHERLANDS = [[50.75, 3.36], [53.55, 7.23]];
let map = null;
let clusters = null;
let regions = null;
let isDrawn = false;
let size = [0, 0];

const drawing = () => document.querySelector("[data-map-live] svg");

function load(source) {
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = source;
    script.onload = resolve;
    script.onerror = reject;
    document.head.append(script);
  });
}

function style(source) {
  return new Promise((resolve) => {
    const link = document.createElement("link");
    link.rel = "stylesheet";
    link.href = source;
    link.onload = resolve;
    link.onerror = resolve;
    document.head.prepend(link);
  });
}

async function read(address) {
  const answer = await fetch(address);
  if (!answer.ok) throw new Error(String(answer.status));
  return answer.json();
}

/** On the drawing y goes down, on a map up. */
const placeOf = (x, y) => (isDrawn ? [size[1] - y, x] : [x, y]);

function clusterIcon(cluster) {
  const count = cluster.getChildCount();
  return L.divIcon({ className: "abs-map__cluster", html: `<span>${count}</span>`, iconSize: [PIN, PIN] });
}

/** A cluster is called what it is, for who does not see it. */
function nameClusters() {
  for (const one of box.querySelectorAll(".abs-map__cluster")) {
    one.setAttribute("aria-label", box.dataset.several.replace("{count}", one.textContent));
    one.setAttribute("role", "button");
  }
}

function pinOf([id, title, kind, first, second]) {
  const icon = L.divIcon({
    className: "abs-map__pin",
    html: `<span class="abs-pin abs-pin--${kind}"></span>`,
    iconSize: [PIN, PIN],
    popupAnchor: [0, -10],
  });
  const pin = L.marker(placeOf(first, second), { icon, title, alt: title, keyboard: true });
  pin.on("add", () => pin.getElement()?.setAttribute("aria-label", title));
  pin.bindPopup(box.dataset.loading, { minWidth: 240, maxWidth: 260, autoPanPadding: [12, 12] });
  pin.on("popupopen", ({ popup }) => showCard(id, popup));
  return pin;
}

/** The card of a pin, as it is on the list: fetched when it is opened. */
async function showCard(id, popup) {
  nameClose();
  const content = document.createElement("div");
  try {
    const answer = await fetch(box.dataset.card.replace(/0$/, String(id)));
    if (!answer.ok) throw new Error(String(answer.status));
    content.innerHTML = await answer.text();
  } catch {
    content.textContent = box.dataset.failed;
  }
  popup.setContent(content);
  content.querySelector("a")?.focus({ preventScroll: true });
}

function nameClose() {
  box.querySelector(".leaflet-popup-close-button")?.setAttribute("aria-label", box.dataset.close);
}

async function showPins() {
  const address = new URL(box.dataset.points, location.href);
  address.search = location.search;
  address.searchParams.delete("pagina");
  if (isDrawn) address.searchParams.set("getekend", "1");
  const { pins } = await read(address);
  clusters.clearLayers();
  clusters.addLayers(pins.map(pinOf));
  nameClusters();
}

/** The drawing as the ground: its links stay links. */
function layDrawing() {
  regions?.remove();
  const svg = drawing().cloneNode(true);
  const bounds = [[0, 0], [size[1], size[0]]];
  regions = L.svgOverlay(svg, bounds, { interactive: true }).addTo(map);
  return bounds;
}

function layShapes(shapes) {
  const wanted = new URLSearchParams(location.search).get("wijk");
  regions?.remove();
  regions = L.geoJSON(shapes, {
    style: ({ properties }) => ({
      className: `abs-map__region${properties.slug === wanted ? " abs-map__region--current" : ""}`,
    }),
    onEachFeature: ({ properties }, layer) => {
      layer.bindTooltip(properties.name, { sticky: true });
      layer.on("click", () => {
        const address = new URL(box.dataset.list, location.href);
        address.search = location.search;
        address.searchParams.set("wijk", properties.slug);
        for (const name of ["buurt", "pagina"]) address.searchParams.delete(name);
        location.assign(address);
      });
    },
  }).addTo(map);
  return regions.getBounds();
}

async function start() {
  await Promise.all([style(box.dataset.style), style(box.dataset.clusterStyle), load(box.dataset.library)]);
  await load(box.dataset.clusters);
  const shapes = await read(box.dataset.shapes);
  const isMeasured = shapes.features.length > 0 || Boolean(box.dataset.tiles);
  isDrawn = !isMeasured && Boolean(drawing());
  if (!isMeasured && !isDrawn) return;
  if (isDrawn) size = drawing().getAttribute("viewBox").split(" ").slice(2).map(Number);
  makeRoom();
  box.setAttribute("role", "region");
  box.setAttribute("aria-label", `${box.dataset.name}. ${box.dataset.help}`);
  map = L.map(box, {
    crs: isDrawn ? L.CRS.Simple : L.CRS.EPSG3857,
    zoomControl: false,
    zoomSnap: 0.25,
    minZoom: isDrawn ? -2 : 10,
    maxZoom: isDrawn ? 1 : 18,
    scrollWheelZoom: false,
    attributionControl: false,
  });
  L.control.attribution({ prefix: "Leaflet" }).addTo(map);
  L.control.zoom({ position: "bottomleft", zoomInTitle: box.dataset.zoomIn, zoomOutTitle: box.dataset.zoomOut }).addTo(map);
  map.fitBounds(isDrawn ? layDrawing() : layGround(shapes));
  clusters = L.markerClusterGroup({
    iconCreateFunction: clusterIcon,
    showCoverageOnHover: false,
    maxClusterRadius: 42,
    ...(isDrawn ? {} : { disableClusteringAtZoom: NEAR }),
    spiderLegPolylineOptions: { className: "abs-map__leg", weight: 1.5 },
  }).addTo(map);
  clusters.on("animationend", nameClusters);
  map.on("moveend zoomend layeradd", nameClusters);
  legend.hidden = false;
  await showPins();
  document.addEventListener("abs:list", () => {
    document.querySelector("[data-map-live]").hidden = true;
    if (isDrawn) layDrawing();
    else if (shapes.features.length) layShapes(shapes);
    showPins().catch(() => {});
  });
}

/** Tiles, where the municipality has them, and the shapes on top. */
function layGround(shapes) {
  if (box.dataset.tiles) L.tileLayer(box.dataset.tiles, { attribution: box.dataset.attribution, maxZoom: 18 }).addTo(map);
  return shapes.features.length ? layShapes(shapes) : THE_NETHERLANDS;
}

/** The pins take the place of the drawing, as large as it was, so that nothing moves. */
function makeRoom() {
  const frame = document.querySelector("[data-map-live]");
  const height = frame.getBoundingClientRect().height;
  if (height > 200) box.style.blockSize = `${height}px`;
  frame.hidden = true;
  box.hidden = false;
}

function giveUp(button) {
  box.hidden = true;
  document.querySelector("[data-map-live]").hidden = false;
  if (button) button.textContent = box.dataset.failed;
}

function offerButton() {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "utrecht-button utrecht-button--secondary-action";
  button.textContent = box.dataset.show;
  box.before(button);
  button.addEventListener("click", () => {
    button.disabled = true;
    button.textContent = box.dataset.loading;
    start()
      .then(() => {
        button.remove();
        if (!box.hidden) box.focus({ preventScroll: true });
      })
      .catch(() => giveUp(button));
  });
}

if (box && legend) {
  // On a small screen, or where data is dear, who wants the pins asks for them.
  const isWide = matchMedia("(min-width: 64rem)").matches && !navigator.connection?.saveData;
  if (isWide) {
    const begin = () => setTimeout(() => start().catch(() => giveUp(null)), 200);
    if (document.readyState === "complete") begin();
    else addEventListener("load", begin);
  } else offerButton();
}
