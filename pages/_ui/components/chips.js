// Numbers as chips. The browser keeps them while a person types; the server hears of every change, and writes over
// them only when its epoch changes.

const instances = new WeakMap();

function words(refused, most) {
  if (refused.length === 0) return "";
  const shown = refused.slice(0, 3).map((text) => text.slice(0, 30)).join(", ");
  const more = refused.length > 3 ? ` and ${refused.length - 3} more` : "";
  return most ? `Only ${most} numbers fit: ${shown}${more} left out.` : `Not a phone number: ${shown}${more}`;
}

export default function ({ data, parentElement, setStateValue }) {
  const find = (selector) => parentElement.querySelector(selector);
  const field = find("input");
  if (!instances.has(parentElement)) instances.set(parentElement, { epoch: null, numbers: [], marked: false });
  const own = instances.get(parentElement);
  if (own.epoch !== data.epoch) {
    own.epoch = data.epoch;
    own.numbers = [...data.numbers];
    own.marked = false;
    field.value = "";
    find(".fault").textContent = "";
  }

  const push = () => setStateValue("typed", { numbers: own.numbers, epoch: own.epoch });
  const paint = () => {
    find(".numbers").replaceChildren(
      ...own.numbers.map((number, index) => {
        const item = document.createElement("li");
        item.append(number);
        if (own.marked && index === own.numbers.length - 1) item.className = "marked";
        const button = document.createElement("button");
        button.type = "button";
        button.textContent = "×";
        button.setAttribute("aria-label", `Remove ${number}`);
        button.onclick = () => {
          own.numbers.splice(index, 1);
          paint();
          push();
          field.focus();
        };
        item.append(button);
        return item;
      }),
    );
    field.placeholder = own.numbers.length ? "" : "Type a number and press Enter, or paste many";
  };
  const take = (text) => {
    const { numbers, refused } = readPhoneNumbers(text);
    const fresh = [...new Set(numbers)].filter((number) => !own.numbers.includes(number));
    const room = Math.max(0, data.most - own.numbers.length);
    own.numbers.push(...fresh.slice(0, room));
    const left = fresh.slice(room);
    find(".fault").textContent = left.length ? words(left, data.most) : words(refused, 0);
    field.value = refused.join(", ");
    paint();
    if (fresh.length > left.length) push();
  };

  field.onkeydown = (event) => {
    if (event.key === "Enter" || event.key === "," || event.key === ";") {
      event.preventDefault();
      take(field.value);
      return;
    }
    if (event.key === "Backspace" || event.key === "Delete") {
      if (field.value !== "" || own.numbers.length === 0) return;
      // The first time the last number is marked, the second time it goes.
      if (own.marked) own.numbers.pop();
      const isGone = own.marked;
      own.marked = !own.marked;
      paint();
      if (isGone) push();
      return;
    }
    if (own.marked) {
      own.marked = false;
      paint();
    }
  };
  field.onpaste = (event) => {
    const text = event.clipboardData.getData("text");
    if (!/[\n\r,;\t]/.test(text)) return;
    event.preventDefault();
    take(`${field.value}${text}`);
  };
  field.onblur = () => {
    if (field.value.trim()) take(field.value);
  };
  find(".box").onclick = (event) => {
    if (event.target === find(".box")) field.focus();
  };
  paint();
}
