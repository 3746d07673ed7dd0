// Shows a code as AAAA-BBBB-CCCC. Only when the caret is at the end or the field is left, so that it never jumps.
(() => {
  const group = (text) => {
    const plain = text.toUpperCase().replace(/[\s\u2010-\u2015-]/g, "");
    return /^[0-9A-Z]{1,12}$/.test(plain) ? plain.match(/.{1,4}/g).join("-") : text;
  };

  for (const field of document.querySelectorAll("[data-code-field]")) {
    const tidy = () => {
      const tidied = group(field.value);
      if (tidied !== field.value) field.value = tidied;
    };
    field.addEventListener("input", (event) => {
      const typing = event.inputType?.startsWith("insert") && !event.isComposing;
      if (typing && field.selectionEnd === field.value.length) tidy();
    });
    field.addEventListener("change", tidy);
    tidy();
  }
})();
