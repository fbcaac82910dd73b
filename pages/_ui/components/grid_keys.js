// The icons in a row of a table, by keyboard.
//
// Streamlit draws its tables on a canvas. The arrows lead to every cell and the one that has the focus is framed, but
// Enter and Space do nothing on a button: only a click does. Here they click it. And what is told to screen readers of
// such a cell is the name of its icon; it gets the words of what it does.

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

/**
 * The grid that draws *cell*, by what React keeps for it: where a cell is, and whether it is a button, stands nowhere
 * in the page. A column may be of any width, behind check boxes, and scrolled.
 */
function findGrid(cell) {
  let fiber = cell[Object.keys(cell).find((key) => key.startsWith("__reactFiber$"))];
  while (fiber && !(fiber.ref?.current?.getBounds && fiber.memoizedProps?.getCellContent)) fiber = fiber.return;
  return fiber && { getBounds: fiber.ref.current.getBounds, getCellContent: fiber.memoizedProps.getCellContent };
}

/** The column and the row of *cell*, counted from 0; a column of check boxes counts. */
function placeOf(cell) {
  return cell.id.match(/^glide-cell-(\d+)-(\d+)$/).map(Number).slice(1);
}

/** What the cell does, when it is a button, else undefined. */
function findAction(cell) {
  const text = cell?.textContent;
  if (!text || findGrid(cell)?.getCellContent(placeOf(cell)).data?.kind !== "button-cell") return undefined;
  const name = text.match(/^:material\/(\w+):$/)?.[1];
  return name ? (WORDS[name] ?? name.replaceAll("_", " ")) : text;
}

/** Where the middle of the cell is on the screen. */
function middleOf(cell) {
  const { x, y, width, height } = findGrid(cell).getBounds(...placeOf(cell));
  return { clientX: x + width / 2, clientY: y + height / 2 };
}

function click(cell) {
  const canvas = cell.closest("canvas");
  const at = { ...middleOf(cell), bubbles: true, cancelable: true, composed: true, button: 0, view: window };
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
    if (!event.repeat) click(cell);
  };
  document.addEventListener("focusin", name, { capture: true });
  document.addEventListener("keydown", press, { capture: true });
}
