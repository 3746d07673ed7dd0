// The form to give money: the button says what will be paid, and one amount leaves the other.
(() => {
  const form = document.querySelector("[data-money-form]");
  if (!form) return;
  const own = form.querySelector("#own_amount");
  const other = form.querySelector('[name="amount"][value="other"]');
  const code = form.querySelector("#code");
  const button = form.querySelector("[data-pay]");
  const plain = button.textContent;

  // As money.py reads and writes amounts; what it cannot read leaves the button without one.
  const read = (text) => {
    const found = text.trim().match(/^(?:€|EUR)?\s*(\d{1,3}(?:\.\d{3})+|\d{1,9})(?:[,.](\d{1,2}))?$/);
    return found ? Number(found[1].replaceAll(".", "")) * 100 + Number((found[2] ?? "0").padEnd(2, "0")) : 0;
  };
  const write = (cents) =>
    `€\u00a0${Math.floor(cents / 100).toLocaleString("nl-NL")}${cents % 100 ? `,${String(cents % 100).padStart(2, "0")}` : ""}`;

  const show = () => {
    const chosen = form.querySelector('[name="amount"]:checked');
    const cents = read(chosen && chosen !== other ? chosen.value : own.value);
    if (code.value.trim()) button.textContent = button.dataset.ask;
    else button.textContent = cents ? button.dataset.pay.replace("{amount}", write(cents)) : plain;
  };

  own.addEventListener("input", () => {
    if (own.value.trim()) other.checked = true;
    show();
  });
  form.addEventListener("change", (event) => {
    if (event.target.name !== "amount") return show();
    if (event.target === other) own.focus();
    else own.value = "";
    show();
  });
  code.addEventListener("input", show);
  addEventListener("pageshow", show);
  show();
})();
