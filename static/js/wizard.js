// The wizard works without this. With it a step is kept while one types, the budget adds itself up, and a phone can
// say where it is.
(() => {
  const WAIT = 4000;
  const status = document.querySelector("[data-autosave-status]");
  const form = document.querySelector("form[data-autosave]");

  const autosave = () => {
    const version = form.querySelector("[data-version]");
    let timer = 0;
    let running = null;
    let leaving = false;
    const say = (text) => {
      if (status && text) status.textContent = text;
    };

    const save = () => {
      clearTimeout(timer);
      timer = 0;
      if (leaving) return;
      running = fetch(form.action, { method: "POST", body: new FormData(form), headers: { Accept: "application/json" }, keepalive: true })
        .then(async (answer) => {
          if (!answer.headers.get("Content-Type")?.startsWith("application/json")) return;
          const { version: kept, message } = await answer.json();
          if (answer.ok) {
            version.value = kept;
            say(form.dataset.saved);
          } else if (answer.status === 409) {
            say(message);
          }
        })
        .catch(() => {}) // no network: the button still saves
        .finally(() => {
          running = null;
        });
    };

    form.addEventListener("input", () => {
      clearTimeout(timer);
      timer = setTimeout(save, WAIT);
    });
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "hidden" && timer) save();
    });
    form.addEventListener("submit", (event) => {
      clearTimeout(timer);
      timer = 0;
      if (!running) {
        leaving = true;
        return;
      }
      event.preventDefault(); // first hear which version there is, so that nobody is in her own way
      const { submitter } = event;
      running.then(() => form.requestSubmit(submitter));
    });
  };

  const cents = (text) => {
    const found = /^(?:€|EUR)?\s*(\d{1,3}(?:\.\d{3})+|\d{1,9})(?:[,.](\d{1,2}))?$/.exec(text.trim());
    return found ? Number(found[1].replaceAll(".", "")) * 100 + Number((found[2] ?? "0").padEnd(2, "0")) : 0;
  };

  const addUp = (total) => {
    const amounts = [...document.querySelectorAll("[data-amount]")];
    const show = () => {
      const sum = amounts.reduce((all, field) => all + cents(field.value), 0);
      const digits = sum % 100 ? 2 : 0;
      const number = new Intl.NumberFormat("nl-NL", { minimumFractionDigits: digits, maximumFractionDigits: digits });
      total.textContent = `€\u00a0${number.format(sum / 100)}`;
    };
    for (const field of amounts) field.addEventListener("input", show);
    show();
  };

  const locate = (box) => {
    const button = box.querySelector("[data-locate-button]");
    const told = box.querySelector("[data-locate-status]");
    const write = (name, value) => {
      document.getElementById(name).value = value.toFixed(5).replace(".", ",");
    };
    button.addEventListener("click", () => {
      navigator.geolocation.getCurrentPosition(
        ({ coords }) => {
          write("latitude", coords.latitude);
          write("longitude", coords.longitude);
          told.textContent = button.dataset.found;
        },
        () => {
          told.textContent = button.dataset.refused;
        },
        { enableHighAccuracy: true, timeout: 15000 },
      );
    });
    box.hidden = false;
  };

  if (form) autosave();
  const total = document.querySelector("[data-total]");
  if (total) addUp(total);
  const box = document.querySelector("[data-locate]");
  if (box && window.isSecureContext && "geolocation" in navigator) locate(box);
})();
