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

// Streamlit's grid tells the page which cell has the focus 200 ms after it has moved there, at the latest; until then
// the one before has it. A key that comes sooner waits.
const SETTLED_MS = 300;

/**
 * What the grid that draws *cell* says of it: where it is on the screen, and whether it is a button. It stands nowhere in
 * the page, and a column may be of any width, behind check boxes, moved and scrolled. Nothing else is asked of React,
 * and nothing but the place is taken from what it kept of an earlier drawing.
 */
function ask(cell) {
  let fiber = cell[Object.keys(cell).find((key) => key.startsWith("__reactFiber$"))];
  while (fiber && !(fiber.ref?.current?.getBounds && fiber.memoizedProps?.getCellContent)) fiber = fiber.return;
  if (!fiber) return undefined;
  const place = placeOf(cell);
  const drawings = [fiber, fiber.alternate].filter(Boolean).map((each) => each.memoizedProps.getCellContent(place));
  return {
    bounds: fiber.ref.current.getBounds(...place),
    isButton: drawings.some((each) => each.data?.kind === "button-cell"),
  };
}

/** The column and the row of *cell*, counted from 0; a column of check boxes counts. */
function placeOf(cell) {
  return cell.id.match(/^glide-cell-(\d+)-(\d+)$/).map(Number).slice(1);
}

/** What the cell does, when it is a button, else undefined. */
function findAction(cell) {
  const text = cell?.textContent;
  if (!text || !ask(cell)?.isButton) return undefined;
  const name = text.match(/^:material\/(\w+):$/)?.[1];
  return name ? (WORDS[name] ?? name.replaceAll("_", " ")) : text;
}

/** Where the middle of the cell is on the screen. */
function middleOf(cell) {
  const { x, y, width, height } = ask(cell).bounds;
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

/** The grid, a canvas, that *element* belongs to. */
function gridOf(element) {
  return element.closest?.("canvas:has(> [role=grid])");
}

/** The cell of *grid* that has the focus. */
function focusedIn(grid) {
  const cell = document.activeElement?.closest("[role=gridcell]");
  return cell && grid.contains(cell) ? cell : undefined;
}

/** When *grid* has told where its focus is, and the browser has drawn it. */
function whenSettled(grid, act) {
  const now = performance.now();
  const wait = SETTLED_MS - (now - (movedAt.get(grid) ?? -Infinity));
  if (wait <= 0) act();
  else setTimeout(() => requestAnimationFrame(() => requestAnimationFrame(() => whenSettled(grid, act))), wait);
}

// When the focus of a grid was last moved; the grid whose key waits; keys that are the grid's own business.
const movedAt = new WeakMap();
const passed = new WeakSet();
let waiting;

/** Do what the cell with the focus does; where it is no button, the grid gets the key. */
function act(grid, event) {
  waiting = undefined;
  const cell = focusedIn(grid);
  if (!cell && !grid.isConnected) return;
  if (findAction(cell)) {
    click(cell);
    return;
  }
  const again = new KeyboardEvent("keydown", { key: event.key, code: event.code, bubbles: true, cancelable: true });
  passed.add(again);
  (cell ?? grid).dispatchEvent(again);
}

function press(event) {
  const grid = gridOf(event.target);
  if (!grid || passed.has(event)) return;
  const acts = (event.key === "Enter" || event.key === " ") && !event.shiftKey && !event.ctrlKey && !event.metaKey;
  if (!acts && waiting !== grid) {
    movedAt.set(grid, performance.now());
    return;
  }
  const settled = performance.now() - (movedAt.get(grid) ?? -Infinity) >= SETTLED_MS;
  if (acts && settled && !findAction(focusedIn(grid))) return;
  // While a key waits, those behind it must not lead away from the cell it is for.
  event.preventDefault();
  event.stopPropagation();
  if (!acts || event.repeat || waiting === grid) return;
  waiting = grid;
  whenSettled(grid, () => act(grid, event));
}

/** Note that the focus of a grid moves otherwise than by a key. */
function move({ target }) {
  const grid = gridOf(target);
  if (grid) movedAt.set(grid, performance.now());
}

function name({ target }) {
  if (target.matches?.("canvas")) move({ target });
  const action = target.matches?.("[role=gridcell]") && findAction(target);
  if (action) target.setAttribute("aria-label", action);
}

/** Screen readers click a cell itself, which is not what a mouse does: it finds the canvas. */
function told({ target }) {
  if (target.matches?.("[role=gridcell]") && findAction(target)) click(target);
}

export default function () {
  if (window.heliographGridKeys) return;
  window.heliographGridKeys = true;
  document.addEventListener("focusin", name, { capture: true });
  document.addEventListener("pointerdown", move, { capture: true });
  document.addEventListener("click", told, { capture: true });
  document.addEventListener("keydown", press, { capture: true });
}
