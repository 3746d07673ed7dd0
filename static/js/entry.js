// Codes from paper: sent as they come, and kept on this phone only while there is no network. What is answered is gone.
import { codeOfQr, isCode } from "./voucher-code.js";
import { prepare, scan } from "./scanner.js";

const AT_ONCE = 20;
const AGAIN = 15_000;
const SHOWN_AGAIN = ["mistyped", "not_usable", "later"];
const root = document.querySelector("[data-entry]");
const part = (name) => root.querySelector(`[data-entry-${name}]`);
const words = root.dataset;

// The queue. It is read anew each time, because another tab may work on the same one.
const key = `abs-codes:${words.entry}`;
let memory = [];
const queue = () => {
  try {
    return JSON.parse(localStorage.getItem(key)) ?? [];
  } catch {
    return memory;
  }
};
const keep = (texts) => {
  memory = texts;
  try {
    if (texts.length) localStorage.setItem(key, JSON.stringify(texts));
    else localStorage.removeItem(key);
  } catch {
    // No storage here: then the queue lives as long as this page.
  }
  part("queue").hidden = !texts.length;
  part("queue-count").textContent = texts.length;
};
const add = (texts) => keep([...queue(), ...texts]);
const drop = (texts) => {
  const left = queue();
  for (const text of texts) {
    const place = left.indexOf(text);
    if (place >= 0) left.splice(place, 1);
  }
  keep(left);
};

// The answers of this sitting: numbers in words, and the codes to look at again.
const counts = { given: 0, waiting: 0, other: 0 };
const told = part("answers");
const say = (text) => (part("said").textContent = text);
const show = ({ outcome, sentence, code }) => {
  counts[outcome in counts ? outcome : "other"] += 1;
  for (const name of Object.keys(counts)) part(`count-${name}`).textContent = counts[name];
  part("result").hidden = false;
  say(sentence);
  if (!SHOWN_AGAIN.includes(outcome)) return;
  const line = document.createElement("li");
  line.className = `paper-answer paper-answer--${outcome}`;
  const written = document.createElement("strong");
  written.className = "paper-code";
  written.textContent = code;
  line.append(written, ` ${sentence}`);
  told.prepend(line);
};

// Sending, one lot after the other.
let sending = false;
let timer = 0;
const trouble = (text) => {
  part("trouble").textContent = text;
  clearTimeout(timer);
  if (queue().length) timer = setTimeout(send, AGAIN);
};
const post = async (texts) => {
  const form = new FormData();
  form.set("csrf_token", words.csrf);
  form.set("box", words.box);
  for (const text of texts) form.append("codes", text);
  const headers = { Accept: "application/json" };
  return fetch(words.url, { method: "POST", body: form, headers, cache: "no-store", credentials: "same-origin" });
};
const take = (texts, { answers, progress }) => {
  const waiting = answers.map((of) => of.some((one) => one.outcome === "later"));
  drop(texts.filter((_text, place) => !waiting[place]));
  const mistyped = [];
  for (const [place, of] of answers.entries()) {
    if (waiting[place]) continue;
    of.forEach(show);
    mistyped.push(...of.filter((one) => one.outcome === "mistyped").map((one) => one.code));
  }
  const box = part("codes");
  if (mistyped.length) box.value = [...box.value.split("\n").filter(Boolean), ...mistyped].join("\n");
  const page = new DOMParser().parseFromString(progress, "text/html");
  part("progress").replaceChildren(...page.body.childNodes);
  return waiting.some(Boolean) ? answers.flat().find((one) => one.outcome === "later").sentence : "";
};
const sendOne = async () => {
  const texts = queue().slice(0, AT_ONCE);
  if (!navigator.onLine) return words.offline;
  let answer;
  try {
    answer = await post(texts);
  } catch {
    return words.offline;
  }
  if (answer.status === 403 || answer.status === 400) return words.signedOut;
  if (answer.status === 422) {
    drop(texts);
    part("codes").value = texts.join("\n");
    return (await answer.json()).message;
  }
  return answer.ok ? take(texts, await answer.json()) : words.broken;
};
const send = async () => {
  if (sending) return;
  sending = true;
  let problem = "";
  while (!problem && queue().length) problem = await sendOne();
  sending = false;
  trouble(problem);
};
const enter = (texts) => {
  add(texts);
  send();
};

// One code after the other: Enter goes on.
const one = part("one");
part("fast").addEventListener("submit", (event) => {
  event.preventDefault();
  const text = one.value.trim();
  one.focus();
  if (!text) return;
  if (!isCode(text)) {
    say(words.mistyped);
    one.select();
    return;
  }
  one.value = "";
  enter([text]);
});

// Many at once. The page itself cuts lines; the server cuts what stands on one line.
part("many").addEventListener("submit", (event) => {
  event.preventDefault();
  const box = part("codes");
  const texts = box.value.split(/[\n,;|]+/).map((text) => text.trim());
  box.value = "";
  enter(texts.filter(Boolean));
  part("said").focus();
});

// The camera.
const camera = part("camera");
const video = part("video");
let stop = null;
const end = () => {
  stop?.();
  stop = null;
  part("view").hidden = true;
  part("start").hidden = false;
};
const begin = async () => {
  part("start").hidden = true;
  part("view").hidden = false;
  try {
    stop = await scan(video, (text) => {
      const code = codeOfQr(text);
      if (!code) {
        say(words.notACode);
        return;
      }
      navigator.vibrate?.(60);
      say(words.scanned);
      enter([code]);
    });
  } catch {
    end();
    say(words.noCamera);
  }
};
if (navigator.mediaDevices?.getUserMedia) {
  camera.hidden = false;
  if (matchMedia("(pointer: coarse)").matches) prepare(); // a phone reads without network too
  part("start").addEventListener("click", begin);
  part("stop").addEventListener("click", end);
  addEventListener("visibilitychange", () => document.hidden && end());
  addEventListener("pagehide", end);
}

part("wipe").addEventListener("click", () => {
  keep([]);
  trouble("");
  say(words.wiped);
});
part("again").addEventListener("click", send);
addEventListener("online", send);
addEventListener("storage", () => keep(queue()));
keep(queue());
send();
