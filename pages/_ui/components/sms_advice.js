// What a text costs beyond the obvious, in words. Needs sms_measure.js.

/** The characters of which each takes the room of two, each once. */
function findDoubles(text) {
  const { encoding } = measureSms(text);
  return [...new Set(text)].filter((character) =>
    encoding === "gsm7" ? measureSms(character).unitCount > 1 : character.length > 1,
  );
}

/** The characters that force a message into Unicode, each once. */
function findUnicodeCharacters(text) {
  return [...new Set(text)].filter((character) => measureSms(character).encoding === "ucs2");
}

/** Why the message takes more room than it has characters, "" when it does not. */
function explainDoubles(text, measure) {
  const doubles = findDoubles(text).map((character) => (character === "\f" ? "form feed" : character));
  if (!doubles.length) return "";
  const [alone, joined] = measure.encoding === "gsm7" ? [160, 153] : [70, 67];
  const room = measure.segmentCount > 1 ? `each of the ${measure.segmentCount} SMS holds ${joined}` : `one SMS holds ${alone}`;
  // Parentheses, for no full stop or colon may be taken for one of the characters.
  return `Counted twice in an SMS: ${doubles.slice(0, 10).join(" ")} (so the message takes up ${measure.unitCount} characters; ${room}).`;
}

/** What the person who writes should know: { text, warning }. */
function advise(text, measure, maxSegments) {
  if (measure.segmentCount > maxSegments) {
    return { text: `Too long: a message may be sent as at most ${maxSegments} SMS.`, warning: true };
  }
  const doubles = explainDoubles(text, measure);
  if (measure.encoding === "gsm7") return { text: doubles };
  const some = findUnicodeCharacters(text).slice(0, 5).join(" ");
  return { text: `Sent as Unicode because of ${some} (an SMS then holds 70 characters instead of 160). ${doubles}`.trim() };
}
