// What a browser can do besides links: the share sheet of the device, and copying. The buttons are hidden until we know.
(() => {
  const said = document.querySelector("[data-share-said]");
  const sheet = document.querySelector("[data-share-sheet]");
  const copy = document.querySelector("[data-share-copy]");
  const show = (button) => { button.closest("[data-share-way]").hidden = false; };

  if (sheet && navigator.share) {
    show(sheet);
    sheet.addEventListener("click", () => {
      const { url, title, text } = sheet.dataset;
      navigator.share({ url, title, text }).catch(() => {}); // The visitor closed the sheet.
    });
  }

  if (copy && navigator.clipboard) {
    show(copy);
    copy.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(copy.dataset.shareCopy);
        said.textContent = copy.dataset.done;
      } catch {
        // The browser refused: the address itself is on the page.
      }
    });
  }
})();
