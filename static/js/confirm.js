// Once the voucher is given, Back must not ask to send the form again: the page that is left behind becomes the
// empty first page of giving, and the code is not kept in the history.
(() => {
  const form = document.querySelector("[data-give-form]");
  form?.addEventListener("submit", () => history.replaceState(null, "", form.dataset.giveForm));
})();
