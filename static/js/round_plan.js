// While a round is planned: how many addresses get a voucher, and what that costs. The page works without it.
const form = document.querySelector("[data-round-plan]");
const total = document.querySelector("[data-round-total]");

function cents(typed) {
  const match = /^(?:€|EUR)?\s*(\d{1,3}(?:\.\d{3})+|\d{1,9})(?:[,.](\d{1,2}))?$/.exec(typed.trim());
  return match ? Number(match[1].replaceAll(".", "")) * 100 + Number((match[2] ?? "0").padEnd(2, "0")) : null;
}

function count() {
  const chosen = [...form.querySelectorAll("input[name=districts]:checked")];
  const addresses = chosen.reduce((sum, box) => sum + Number(box.dataset.addresses), 0);
  const amount = cents(form.elements.amount.value);
  const number = new Intl.NumberFormat("nl-NL");
  const euros = new Intl.NumberFormat("nl-NL", { style: "currency", currency: "EUR" });
  total.textContent =
    amount === null
      ? total.dataset.many.replace("{}", number.format(addresses))
      : total.dataset.cost.replace("{}", number.format(addresses)).replace("{€}", euros.format((addresses * amount) / 100));
}

if (form && total) {
  form.addEventListener("input", count);
  count();
}
