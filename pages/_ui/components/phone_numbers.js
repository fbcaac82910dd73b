/**
 * Reads what was typed or pasted as phone numbers.
 *
 * Numbers are separated by line breaks, commas, semicolons or tabulators; within one, spaces, dots, hyphens, slashes
 * and parentheses are passed over. What has 7 to 15 digits, as E.164 allows, may be a number; the server knows the
 * plans and has the last word.
 *
 * @param {string} text
 * @returns {{numbers: string[], refused: string[]}} numbers as "+" and digits, in order; refused pieces as typed.
 */
function readPhoneNumbers(text) {
  const numbers = [];
  const refused = [];
  for (const piece of text.split(/[\n\r,;\t]+/)) {
    const trimmed = piece.trim();
    if (trimmed === "") continue;
    const digits = trimmed.replace(/[\s.\-/()]/g, "").replace(/^(\+|00)/, "");
    if (/^[1-9]\d{6,14}$/.test(digits)) numbers.push(`+${digits}`);
    else refused.push(trimmed);
  }
  return { numbers, refused };
}
