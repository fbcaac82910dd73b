// The editor of a message: counts and phone follow every keystroke here in the browser; the server hears
// of the text when the typing pauses, and never writes into the field while its epoch stays the same.

const PAUSE_MS = 500;
const ENCODINGS = { gsm7: "GSM-7", ucs2: "Unicode" };
const instances = new WeakMap();

function drawPlaceholders(find, names, insert) {
  find(".placeholders").replaceChildren(
    ...names.map((name) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = name;
      button.setAttribute("aria-label", `Insert placeholder ${name}`);
      // Keep the caret in the text: a button would take the focus away first.
      button.onmousedown = (event) => event.preventDefault();
      button.onclick = () => insert(`{${name}}`);
      return button;
    }),
  );
}

export default function ({ data, parentElement, setStateValue }) {
  const find = (selector) => parentElement.querySelector(selector);
  const field = find("textarea");
  if (!instances.has(parentElement)) instances.set(parentElement, { epoch: null, pushed: "", timer: 0, position: 1 });
  const own = instances.get(parentElement);

  if (own.epoch !== data.epoch) {
    own.epoch = data.epoch;
    field.value = data.text;
    own.position = data.position;
    own.pushed = JSON.stringify([field.value, own.position]);
  }
  own.position = Math.min(Math.max(own.position, 1), Math.max(data.total, 1));

  const paint = () => {
    const parts = fillPlaceholders(field.value, data.values).map((part) => replaceIn(part, data.replacements));
    const measure = drawPhone(parentElement, { parts, sender: data.sender, name: data.name });
    find(".characters").textContent = grouped(measure.characterCount);
    find(".messages").textContent = grouped(measure.segmentCount);
    find(".encoding").textContent = ENCODINGS[measure.encoding];
    const advice = advise(parts.map((part) => part.text).join(""), measure, data.maxSegments);
    find(".advice").textContent = advice.text;
    find(".advice").classList.toggle("warning", Boolean(advice.warning));
    find(".steps").hidden = data.total < 1;
    find(".position").textContent = `Recipient ${grouped(own.position)} of ${grouped(data.total)}`;
    find(".previous").disabled = own.position <= 1;
    find(".next").disabled = own.position >= data.total;
  };
  const push = () => {
    clearTimeout(own.timer);
    const now = JSON.stringify([field.value, own.position]);
    if (now === own.pushed) return;
    own.pushed = now;
    setStateValue("typed", { text: field.value, epoch: own.epoch, position: own.position });
  };
  const step = (by) => {
    own.position += by;
    paint();
    push();
  };

  drawPlaceholders(find, Object.keys(data.values), (token) => {
    field.setRangeText(token, field.selectionStart, field.selectionEnd, "end");
    field.focus();
    field.oninput();
  });
  field.oninput = () => {
    paint();
    clearTimeout(own.timer);
    own.timer = setTimeout(push, PAUSE_MS);
  };
  field.onblur = push;
  find(".previous").onclick = () => step(-1);
  find(".next").onclick = () => step(1);
  paint();
  return () => clearTimeout(own.timer);
}
