// Numbers as chips. The browser keeps them while a person types; the server hears of every change, and writes over
// them only when its epoch changes.

const instances = new WeakMap();

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
  const change = (numbers, isMarked) => {
    const isChanged = numbers.length !== own.numbers.length;
    own.numbers = numbers;
    own.marked = isMarked;
    paint();
    if (isChanged) push();
  };
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
          change(removeNumber(own.numbers, index), false);
          field.focus();
        };
        item.append(button);
        return item;
      }),
    );
    field.placeholder = own.numbers.length ? "" : "Type a number and press Enter, or paste many";
  };
  const take = (text) => {
    const { numbers, rest, fault } = addNumbers(own.numbers, text, data.most);
    find(".fault").textContent = fault;
    field.value = rest;
    change(numbers, false);
  };

  field.onkeydown = (event) => {
    const does = readKey(event.key, field.value);
    if (does === "add") {
      event.preventDefault();
      take(field.value);
    } else if (does === "erase") {
      const { numbers, isMarked } = eraseLast(own.numbers, own.marked);
      change(numbers, isMarked);
    } else if (own.marked) {
      change(own.numbers, false);
    }
  };
  field.onpaste = (event) => {
    const text = event.clipboardData.getData("text");
    if (!isManyNumbers(text)) return;
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
