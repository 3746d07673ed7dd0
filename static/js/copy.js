// A button that copies a list of codes. It is hidden until we know that the browser can.
(() => {
  const button = document.querySelector("[data-copy]");
  const status = document.querySelector("[data-copy-status]");
  if (!button || !navigator.clipboard) return;
  button.hidden = false;
  button.addEventListener("click", async () => {
    const lines = [...document.getElementById(button.dataset.copy).children].map((line) => line.textContent.trim());
    try {
      await navigator.clipboard.writeText(lines.join("\n"));
      status.textContent = button.dataset.done;
    } catch {
      // The browser refused: the codes themselves are still on the page.
    }
  });
})();
