// The desk of a wijkcentrum, on a screen that others share: Enter goes on, what the number stands for is shown before
// anything is given, and nothing of the person before stays on the page. Nothing is kept in this browser.
import { isCode } from "./voucher-code.js";

const IDLE = 60_000;
const PAUSE = 250;
const root = document.querySelector("[data-counter]");
const form = root.querySelector("form");
const said = root.querySelector("[data-counter-said]");
const typed = [...form.querySelectorAll("input[type=text]")];

// Whoever comes back to this page (Back, a slept screen) finds it empty.
const clear = () => {
  for (const field of typed) field.value = "";
  said.textContent = "";
  root.dispatchEvent(new Event("counter-cleared"));
};
let idle = 0;
const wake = () => {
  clearTimeout(idle);
  idle = setTimeout(clear, IDLE);
};
for (const kind of ["input", "keydown", "pointerdown"]) root.addEventListener(kind, wake);
wake();
addEventListener("pagehide", clear);
addEventListener("pageshow", (event) => {
  if (event.persisted) location.replace(root.dataset.counter);
});

if (form.matches("[data-counter-form]")) {
  const words = root.dataset;
  const [code, number, seen, shown, hint, stack] = [
    "#code", "#number", "[data-counter-seen]", "[data-counter-choice]", "[data-counter-hint]", "#stack",
  ].map((selector) => root.querySelector(selector));
  let asked = 0;
  let pause = 0;
  let isSent = false;

  const forgetChoice = () => {
    asked += 1;
    clearTimeout(pause);
    seen.value = "";
    shown.textContent = "";
  };
  root.addEventListener("counter-cleared", () => {
    forgetChoice();
    stack.checked = false;
    hint.textContent = "";
    isSent = false;
  });

  // What a number stands for: public facts, asked for again with every change. An old answer is thrown away.
  const lookUp = async () => {
    clearTimeout(pause);
    asked += 1;
    const [question, value] = [asked, number.value.trim()];
    if (!value) return;
    let piece;
    try {
      const answer = await fetch(`${words.choice}?nummer=${encodeURIComponent(value)}`, { cache: "no-store" });
      if (!answer.ok) throw new Error(String(answer.status));
      piece = await answer.text();
    } catch {
      if (question === asked) hint.textContent = words.offline;
      return;
    }
    if (question !== asked) return;
    hint.textContent = "";
    shown.replaceChildren(...new DOMParser().parseFromString(piece, "text/html").body.childNodes);
    seen.value = shown.querySelector("[data-counter-found]")?.dataset.counterFound ?? "";
  };
  number.addEventListener("input", () => {
    forgetChoice();
    pause = setTimeout(lookUp, PAUSE);
  });

  const codeIsRight = () => {
    const right = isCode(code.value);
    hint.textContent = right ? "" : words.mistyped;
    code.setAttribute("aria-invalid", String(!right));
    if (!right) code.focus();
    return right;
  };
  // The next code has begun: the sentence about the person before goes away.
  code.addEventListener("input", () => {
    said.textContent = "";
    hint.textContent = "";
    code.removeAttribute("aria-invalid");
  });
  code.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.isComposing) return;
    event.preventDefault();
    if (!codeIsRight()) return;
    if (stack.checked && seen.value) form.requestSubmit();
    else number.focus();
  });
  form.addEventListener("submit", (event) => {
    const stop = isSent || !codeIsRight();
    if (stop || !seen.value) event.preventDefault();
    if (stop) return;
    if (!seen.value) {
      number.focus();
      if (number.value.trim()) lookUp();
      else hint.textContent = words.noNumber;
      return;
    }
    isSent = true;
    hint.textContent = words.busy;
  });

  // Read aloud by the browser itself: what was just given, else the choice on the screen.
  const speak = root.querySelector("[data-counter-speak]");
  if ("speechSynthesis" in window) {
    speak.hidden = false;
    speak.addEventListener("click", () => {
      const text = shown.textContent.trim() || said.textContent.trim() || hint.textContent.trim();
      const voice = new SpeechSynthesisUtterance(text.replace(/\s+/g, " "));
      voice.lang = "nl-NL";
      speechSynthesis.cancel();
      if (text) speechSynthesis.speak(voice);
      code.focus();
    });
  }
  code.focus();
} else if (!root.querySelector("[role=alert]")) {
  typed[0].focus();
}
