// Reads a voucher code on the phone itself, so that a typing error is told without network (vouchers/codes.py has the rule).
const ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const LENGTH = 12;

const plain = (text) =>
  text
    .toUpperCase()
    .replace(/[\s._\u00ad\u200b\u2010-\u2015\u2060\u2212\ufeff-]/g, "")
    .replaceAll("O", "0")
    .replace(/[IL]/g, "1");

// Whether the check character is right: in GF(32), each character times its own power of two adds up to nothing.
export const isCode = (text) => {
  const code = plain(text);
  if (code.length !== LENGTH) return false;
  let sum = 0;
  for (const character of code) {
    const value = ALPHABET.indexOf(character);
    if (value < 0) return false;
    sum <<= 1;
    if (sum & 32) sum ^= 37;
    sum ^= value;
  }
  return sum === 0;
};

// What a QR code holds: the address of a letter with the code behind its #, or a code by itself. Empty: neither.
export const codeOfQr = (text) => {
  let code = text.slice(text.indexOf("#") + 1);
  try {
    code = decodeURIComponent(code);
  } catch {
    return "";
  }
  return isCode(code) ? code : "";
};
