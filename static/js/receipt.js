// Print and share buttons: they are hidden until we know that they work.
(() => {
  const print = document.querySelector("[data-print]");
  if (print) {
    print.hidden = false;
    print.addEventListener("click", () => window.print());
  }

  const share = document.querySelector("[data-share]");
  const link = document.querySelector("[data-share-url]");
  const status = document.querySelector("[data-share-status]");
  if (!share || !(navigator.share || navigator.clipboard)) return;
  share.hidden = false;
  share.addEventListener("click", async () => {
    try {
      if (navigator.share) {
        await navigator.share({ title: share.dataset.title, url: link.href });
      } else {
        await navigator.clipboard.writeText(link.href);
        status.textContent = share.dataset.done;
      }
    } catch {
      // The visitor closed the share sheet, or the browser refused: the link itself is still on the page.
    }
  });
})();
