// The icons in a row of a table, by keyboard.
//
// Streamlit draws its tables on a canvas. The arrows lead to every cell and the one that has the focus is framed, but
// Enter and Space do nothing on an icon: only a click does. Here they click it. And what is told to screen readers of
// such a cell is the name of its icon; it gets the words of what it does.

const [HEADING, ROW, ICON] = [36, 40, 56];
const WORDS = {
  visibility: "View",
  info: "Details",
  delete: "Delete",
  content_copy: "Clone",
  edit: "Edit",
  pause: "Pause",
  play_arrow: "Activate",
  forward_to_inbox: "Send the invitation again",
  tune: "Set up",
  power_settings_new: "Switch on or off",
  list: "Show messages",
};

/** What the cell does, when it holds an icon, else undefined. */
function findAction(cell) {
  const text = cell?.textContent ?? "";
  if (text.endsWith(": show")) return text;
  const name = text.match(/^:material\/(\w+):$/)?.[1];
  return name && (WORDS[name] ?? name.replaceAll("_", " "));
}

/** The cell to click for *cell*: a button among the columns opens what the first icon of its row opens, the details. */
function findIcon(cell) {
  const before = [...cell.parentElement.children].slice(0, cell.ariaColIndex - 1);
  const isFirst = before.every(({ textContent }) => /^(|true|false|:material.*)$/.test(textContent));
  return isFirst ? cell : before.find((each) => findAction(each));
}

/** Where the middle of the cell is on the screen: the icons stand first, behind the check box if there is one. */
function middleOf(cell, canvas) {
  const [, column, row] = cell.id.match(/^glide-cell-(\d+)-(\d+)$/).map(Number);
  const { left, top } = canvas.getBoundingClientRect();
  return { clientX: left + (column + 0.5) * ICON, clientY: top + HEADING + (row + 0.5) * ROW };
}

function click(cell) {
  const canvas = cell.closest("canvas");
  const at = { ...middleOf(cell, canvas), bubbles: true, cancelable: true, composed: true, button: 0, view: window };
  const pointer = { ...at, pointerId: 1, pointerType: "mouse", isPrimary: true };
  canvas.dispatchEvent(new PointerEvent("pointermove", pointer));
  canvas.dispatchEvent(new MouseEvent("mousemove", at));
  for (const [down, kind, init] of [[1, PointerEvent, pointer], [1, MouseEvent, at], [0, PointerEvent, pointer], [0, MouseEvent, at]]) {
    const name = (kind === PointerEvent ? "pointer" : "mouse") + (down ? "down" : "up");
    canvas.dispatchEvent(new kind(name, { ...init, buttons: down }));
  }
  canvas.dispatchEvent(new MouseEvent("click", at));
}

export default function () {
  if (window.heliographGridKeys) return;
  window.heliographGridKeys = true;
  const name = ({ target }) => {
    const action = target.matches?.("[role=gridcell]") && findAction(target);
    if (action) target.setAttribute("aria-label", action);
  };
  const press = (event) => {
    if (event.key !== "Enter" && event.key !== " ") return;
    const cell = event.target.closest?.("[role=gridcell]");
    if (!findAction(cell)) return;
    event.preventDefault();
    event.stopPropagation();
    if (!event.repeat) click(findIcon(cell));
  };
  document.addEventListener("focusin", name, { capture: true });
  document.addEventListener("keydown", press, { capture: true });
}
