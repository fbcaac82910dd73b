// The numbers of a Quick Send: what is read as one, and what typing, pasting and erasing make of the chips.
// It is concatenated with chips.js, which draws them.

/**
 * Reads what was typed or pasted as phone numbers.
 *
 * Numbers are separated by line breaks, commas, semicolons or tabulators. Within one, whatever core/domain/numbering/msisdn.py
 * passes over is passed over here, and what it refuses by its form is refused here. What is left, with a country code,
 * may be a number; the server knows the plans and has the last word. So a piece whose meaning hangs on the plans (a
 * slash, or a zero in brackets) stays as it was typed. The shortest numbers there are have 6 digits; the longest have
 * 15, or 16 with the zero people write after the country code.
 *
 * @param {string} text
 * @returns {{numbers: string[], refused: string[]}} numbers as "+" and digits or as typed, in order; refused pieces as
 *   typed.
 */
function readPhoneNumbers(text) {
  const numbers = [];
  const refused = [];
  for (const piece of text.split(/[\n\r,;\t]+/)) {
    const trimmed = piece.trim();
    if (trimmed === "") continue;
    const number = readPhoneNumber(trimmed);
    if (number === null) refused.push(trimmed);
    else numbers.push(number);
  }
  return { numbers, refused };
}

/** What nobody sees, as the inside of a regular expression's class. */
function unseenClass() {
  return "\\s\\x1c-\\x1f\\x85\\u00ad\\u200b-\\u200f\\u202a-\\u202e\\u2060-\\u2069\\ufeff";
}

/** The zero people write in brackets after the country code, as a regular expression. */
function homeZero() {
  return `\\([${unseenClass()}]*0[${unseenClass()}]*\\)`;
}

/** The chip of *piece*, or null when it cannot be one number. */
function readPhoneNumber(piece) {
  const unseen = unseenClass();
  const grouping = `[${unseen}().\\-/\\u2010-\\u2015\\u2212\\uff0d]`;
  const trim = (text) => text.replace(new RegExp(`^[${unseen}]+|[${unseen}]+$`, "g"), "");
  const plain = trim(piece.replace(/\p{Nd}/gu, toAsciiDigit));
  const wrapped = new RegExp(`^(?:=[${unseen}]*"(.*)"|['\\u2018\\u2019](.*))$`, "s").exec(plain);
  const written = wrapped ? trim(wrapped[1] ?? wrapped[2]) : plain;
  // The address of a link.
  const unwrapped = written.replace(new RegExp(`^tel:[${unseen}]*(?=[+\\uff0b(0-9])`, "i"), "");
  // A spreadsheet has subtracted.
  if (/^[-\u2212\uff0d][0-9]/.test(unwrapped)) return null;
  const whole = dropFraction(unwrapped, grouping);
  if (whole === null || isTwoNumbers(whole)) return null;
  const digits = whole.replace(new RegExp(grouping, "g"), "").replace(/^(?:[+\uff0b]|00)/, "");
  if (!/^[1-9]\d{5,15}$/.test(digits)) return null;
  return new RegExp(`/|${homeZero()}`).test(whole) ? piece : `+${digits}`;
}

/** *text* without the ".0" that programs write behind a whole number; null when there is another fraction. */
function dropFraction(text, grouping) {
  const decimal = /^([+\uff0b]?\d+)\.(\d+)$/.exec(text);
  const odd = new RegExp(`^[^.]*\\.${grouping}*(?:[0-9]${grouping}*){1,2}$`);
  if (!decimal) return odd.test(text) ? null : text;
  if (/^0+$/.test(decimal[2])) return decimal[1];
  return decimal[1].replace(/\D/, "").length < 8 && decimal[2].length > 2 ? text : null;
}

/** Whether *text* may hold more than one number, by its form. */
function isTwoNumbers(text) {
  if (text.split("(").length !== text.split(")").length) return true;
  const once = text.replace(/^[^0-9]*00/, "").replace(new RegExp(homeZero(), "g"), "");
  if (new RegExp(`[0-9][^0-9()]*\\([0-9${unseenClass()}]+\\)$`).test(once)) return true;
  const parts = once.match(/[0-9]+/g) ?? [];
  return parts.some((_, index) => {
    const [before, behind] = [parts.slice(0, index).join(""), parts.slice(index).join("")];
    const isLong = before.length >= 7 && behind.length >= 7;
    return isLong && (parts.length === 2 || before.slice(0, 2) === behind.slice(0, 2));
  });
}

/** The digit 0-9 that *character*, a digit of any script, stands for: Unicode has tens of them together, zero first. */
function toAsciiDigit(character) {
  const code = character.codePointAt(0);
  let first = code;
  while (/\p{Nd}/u.test(String.fromCodePoint(first - 1))) first -= 1;
  return String((code - first) % 10);
}

/**
 * The chips after *text* was entered: each number once, as many as fit.
 *
 * @param {string[]} held
 * @param {string} text
 * @param {number} most
 * @returns {{numbers: string[], rest: string, fault: string}}
 *   rest stays in the field, to be corrected; fault says what was not taken and why, "" when all was.
 */
function addNumbers(held, text, most) {
  const { numbers, refused } = readPhoneNumbers(text);
  const fresh = [...new Set(numbers)].filter((number) => !held.includes(number));
  const room = Math.max(0, most - held.length);
  return {
    numbers: [...held, ...fresh.slice(0, room)],
    rest: refused.join(", "),
    fault: describeFault(fresh.slice(room), refused, most),
  };
}

/** One sentence on the numbers that are *left* out for want of room, else on the *refused*. */
function describeFault(left, refused, most) {
  const some = left.length > 0 ? left : refused;
  if (some.length === 0) return "";
  const shown = some.slice(0, 3).map((text) => text.slice(0, 30)).join(", ");
  const more = some.length > 3 ? ` and ${some.length - 3} more` : "";
  return left.length > 0 ? `Only ${most} numbers fit: ${shown}${more} left out.` : `Not a phone number: ${shown}${more}`;
}

/** The chips without the one at *index*. */
function removeNumber(held, index) {
  return held.filter((_, other) => other !== index);
}

/** The chips after Backspace in the empty field: the first time the last one is marked, the second time it goes. */
function eraseLast(held, isMarked) {
  return isMarked ? { numbers: held.slice(0, -1), isMarked: false } : { numbers: held, isMarked: held.length > 0 };
}

/** What *key* does while *typed* stands in the field: "add" what is typed, "erase" a chip, or "" for neither. */
function readKey(key, typed) {
  if (key === "Enter" || key === "," || key === ";") return "add";
  return typed === "" && (key === "Backspace" || key === "Delete") ? "erase" : "";
}

/** Whether *text*, when pasted, is read as numbers at once; a single one may be a part of what is being typed. */
function isManyNumbers(text) {
  return /[\n\r,;\t]/.test(text);
}
