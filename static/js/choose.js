// Narrows the list of initiatives on the page itself: a request for it would lose the code or carry it along.
(() => {
  const panel = document.querySelector("[data-choose-filter]");
  if (!panel) return;
  const search = panel.querySelector("#choose_search");
  const district = panel.querySelector("#choose_district");
  const count = document.querySelector("[data-choose-count]");
  const fold = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
  const choices = [...document.querySelectorAll("[data-choice]")].map((item) => ({
    item,
    input: item.querySelector("input"),
    words: fold(item.textContent),
    district: item.dataset.choice,
  }));

  const narrow = () => {
    const words = fold(search.value).split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const choice of choices) {
      // City-wide initiatives have no district and belong to all of them; a choice that is made stays in sight.
      const near = !district.value || !choice.district || choice.district === district.value;
      const fits = near && words.every((word) => choice.words.includes(word));
      if (fits) shown += 1;
      choice.item.hidden = !fits && !choice.input.checked;
    }
    const { none, one, many } = count.dataset;
    count.textContent = shown === 0 ? none : shown === 1 ? one : many.replace("{n}", shown);
  };

  search.addEventListener("input", narrow);
  district.addEventListener("change", narrow);
  // Enter in the search box must not send the form.
  search.addEventListener("keydown", (event) => {
    if (event.key === "Enter") event.preventDefault();
  });
  panel.hidden = false;
  narrow();
})();
