// Draws the phone of phone.html. Everything a person wrote goes in as text, never as markup.

/** 12345 as "12 345", with the narrow space that all numbers on screen have. */
function grouped(value) {
  return String(value).replace(/\B(?=(\d{3})+$)/g, "\u202f");
}

/**
 * Split a message at the placeholders that have a value: [{ text, isValue }]. Letters and their accents are put in one
 * piece, as the server does before it measures or sends.
 */
function fillPlaceholders(message, values) {
  const composed = message.normalize("NFC");
  const parts = [];
  let end = 0;
  for (const match of composed.matchAll(/\{([^{}]+)\}/g)) {
    if (!Object.hasOwn(values, match[1])) continue;
    parts.push({ text: composed.slice(end, match.index), isValue: false });
    parts.push({ text: values[match[1]], isValue: true });
    end = match.index + match[0].length;
  }
  parts.push({ text: composed.slice(end), isValue: false });
  return parts.filter((part) => part.text !== "");
}

/** A part of the message with the characters in *replacements* replaced; it may become empty. */
function replaceIn(part, replacements) {
  const text = Array.from(part.text, (character) => replacements[character] ?? character).join("");
  return { ...part, text };
}

/** Show the parts of a message in the phone under *root*, and below it what it measures. */
function drawPhone(root, { parts, sender, name }) {
  const find = (selector) => root.querySelector(selector);
  const bubble = find(".bubble");
  bubble.replaceChildren(
    ...parts.map(({ text, isValue }) => {
      const span = document.createElement("span");
      span.textContent = text;
      if (isValue) span.className = "value";
      return span;
    }),
  );
  const measure = measureSms(parts.map((part) => part.text).join(""));
  find(".name").textContent = sender || "Sender";
  find(".portrait").textContent = (sender || "S").replace("+", "").slice(0, 1).toUpperCase();
  find(".caption").textContent = `${grouped(measure.characterCount)} ${measure.characterCount === 1 ? "Character" : "Characters"} – ${measure.segmentCount} SMS`;
  find(".campaign").textContent = name;
  return measure;
}
