// Once the voucher is given, Back must not ask to send the form again: the page that is left behind becomes the
// empty first page of giving, and the code is not kept in the history. Loaded in the head and not deferred, so that
// it is there before the button is.
document.addEventListener("submit", (event) => {
  const first = event.target.dataset.giveForm;
  if (first) {
    history.replaceState(null, "", first);
  }
});
