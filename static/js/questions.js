// SPDX-License-Identifier: EUPL-1.2
// Shows only the questions that hold every word that somebody types; without this, the server does it.
const form = document.querySelector("[data-questions]");
const questions = [...document.querySelectorAll(".txt-question")];

const plain = (text) => text.toLowerCase().normalize("NFKD").replace(/\p{M}/gu, "");

function show(input, count) {
  const words = plain(input.value).match(/[\p{L}\p{N}]+/gu) ?? [];
  let found = 0;
  for (const question of questions) {
    const text = ` ${plain(question.textContent).replace(/[^\p{L}\p{N}]+/gu, " ")}`;
    question.hidden = !words.every((word) => text.includes(` ${word}`));
    found += question.hidden ? 0 : 1;
  }
  for (const part of document.querySelectorAll("[data-questions-part]")) {
    part.hidden = !part.querySelector(".txt-question:not([hidden])");
  }
  const sentences = form.dataset;
  const said = found === 0 ? sentences.none : found === 1 ? sentences.one : sentences.some.replace("#", String(found));
  count.textContent = words.length ? said : "";
}

function openAsked() {
  const asked = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (asked instanceof HTMLDetailsElement) asked.open = true;
}

if (form && document.querySelector("[data-questions-part]")) {
  const input = form.querySelector("input");
  const count = form.querySelector("[data-questions-count]");
  input.addEventListener("input", () => show(input, count));
  if (input.value) show(input, count);
}
window.addEventListener("hashchange", openAsked);
openAsked();
