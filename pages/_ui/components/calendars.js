// Two calendars, one for each end of a range of days. Both know the whole range, so the days between are marked in
// both. The server hears of every choice that is a valid range, and of a typed day that is none: then only that.

const OTHER = { first: "last", last: "first" };
const instances = new WeakMap();

function cellsOf(names, tag, describe) {
  return names.map((name) => {
    const cell = document.createElement(tag);
    describe(cell, name);
    return cell;
  });
}

function rowOf(cells) {
  const row = document.createElement("tr");
  row.append(...cells);
  return row;
}

/** Draw what never changes: the weekdays, an empty cell for every place, and the names of the months. */
function furnish(section) {
  const find = (selector) => section.querySelector(selector);
  const heads = cellsOf(WEEKDAYS, "th", (cell, name) => {
    cell.scope = "col";
    cell.abbr = name;
    cell.textContent = name.slice(0, 2);
  });
  const cells = cellsOf(Array(GRID_DAYS).fill(), "td", (cell) => cell.setAttribute("role", "gridcell"));
  const weeks = Array.from({ length: GRID_DAYS / 7 }, (_, week) => rowOf(cells.slice(7 * week, 7 * week + 7)));
  find("thead").replaceChildren(rowOf(heads));
  find("tbody").replaceChildren(...weeks);
  find(".month").replaceChildren(...MONTHS.map((name, month) => new Option(name, month)));
  return { find, cells };
}

/** The state of one pair of calendars: `at` is the day of each that the tab key leads to, in the month it shows. */
function create(root) {
  const own = { epoch: null, days: null, at: {}, notes: {}, views: {} };
  for (const end of Object.keys(OTHER)) own.views[end] = furnish(root.querySelector(`[data-end=${end}]`));
  return own;
}

function startOver(own, data) {
  own.epoch = data.epoch;
  own.days = { first: parseIso(data.first), last: parseIso(data.last) };
  own.at = { ...own.days };
  own.notes = { first: null, last: null };
  own.texts = { first: toTyped(own.days.first), last: toTyped(own.days.last) };
}

function drawDay(cell, day, { days, at, bounds, today }, end) {
  const { first, last } = days;
  cell.textContent = day === null ? "" : partsOf(day).date;
  cell.className = "";
  // Never without a tabindex: the focused cell would lose the focus, and the popover locks what nobody is in.
  cell.tabIndex = day !== null && day === at[end] ? 0 : -1;
  for (const name of ["aria-label", "aria-selected", "aria-disabled", "aria-current"]) cell.removeAttribute(name);
  delete cell.dataset.day;
  if (day === null) return;
  const between = day >= first && day <= last;
  cell.dataset.day = day;
  cell.setAttribute("aria-label", describeDay(day) + (between && first < last ? ", in the range" : ""));
  cell.setAttribute("aria-selected", day === days[end]);
  if (day !== keepWithin(day, bounds)) cell.setAttribute("aria-disabled", "true");
  if (day === today) cell.setAttribute("aria-current", "date");
  cell.classList.toggle("between", between);
  cell.classList.toggle("first", day === first);
  cell.classList.toggle("last", day === last);
}

function drawSteps(find, day, { earliest, latest }) {
  const { year, month } = partsOf(day);
  const [from, to] = [partsOf(earliest), partsOf(latest)];
  const count = 12 * year + month;
  find(".month").value = month;
  fill(find(".year"), year);
  find(".year").min = from.year;
  find(".year").max = to.year;
  find(".previous").disabled = count <= 12 * from.year + from.month;
  find(".next").disabled = count >= 12 * to.year + to.month;
}

/** Write only what is new: somebody may be typing while the page runs again. */
function fill(field, value) {
  if (field.dataset.written === String(value)) return;
  field.value = value;
  field.dataset.written = value;
}

/** Return what was typed into a field, and let the next drawing write over it. */
function takeTyped(field) {
  delete field.dataset.written;
  return field.value;
}

/** Write only what is new: a live region would say it again. */
function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function draw(own, end) {
  const { find, cells } = own.views[end];
  const note = own.notes[end];
  const day = own.at[end];
  fill(find(".typed"), own.texts[end]);
  find(".typed").setAttribute("aria-invalid", Boolean(note?.wrong));
  find(".note").classList.toggle("wrong", Boolean(note?.wrong));
  say(find(".note"), note?.text ?? "");
  drawSteps(find, day, own.bounds);
  say(find(".shown"), describeMonth(day));
  find("table").setAttribute("aria-label", `${end === "first" ? "First" : "Last"} day, ${describeMonth(day)}`);
  layOutMonth(day).forEach((found, place) => drawDay(cells[place], found, own, end));
}

/** Explain what is wrong with a typed day, or return null. */
function findFault(day, { earliest, latest }) {
  if (day === null) return "Not a date. Enter it as DD/MM/YYYY.";
  if (day < earliest || day > latest) return `Only ${toTyped(earliest)} to ${toTyped(latest)}.`;
  return null;
}

function takeOver(own, end, day) {
  const other = OTHER[end];
  const days = chooseEnd(own.days, end, day);
  const follows = days[other] !== own.days[other];
  own.days = days;
  own.notes = { [end]: null, [other]: own.notes[other]?.wrong ? own.notes[other] : null };
  own.at[end] = day;
  own.texts[end] = toTyped(day);
  if (!follows) return;
  own.notes[other] = { text: end === "first" ? "Moved forward with the start date." : "Moved back with the end date." };
  own.at[other] = day;
  own.texts[other] = toTyped(day);
}

/** Let the buttons and fields above a calendar lead to other months. */
function listenToSteps(find, at, go) {
  const jump = (count) => go(addMonths(at(), count));
  find(".previous").onclick = () => jump(-1);
  find(".next").onclick = () => jump(1);
  find(".month").onchange = (event) => jump(event.target.value - partsOf(at()).month);
  find(".year").onchange = (event) => {
    const { min, max } = event.target;
    const { year } = partsOf(at());
    const asked = Math.trunc(takeTyped(event.target)) || year;
    jump(12 * (Math.min(Math.max(asked, min), max) - year));
  };
}

/** Let the days of a calendar be clicked, walked through and chosen; *settle* puts the focus where the walk ended. */
function listenToDays(body, at, { go, choose, settle }) {
  body.onclick = (event) => {
    const cell = event.target.closest("td[data-day]");
    if (!cell) return;
    choose(Number(cell.dataset.day));
    settle();
  };
  body.onkeydown = (event) => {
    const chosen = event.key === "Enter" || event.key === " ";
    const next = followKey(at(), event.key, event.shiftKey);
    if (!chosen && next === null) return;
    event.preventDefault();
    if (chosen) choose(at());
    else go(next);
    settle();
  };
}

/** Let one calendar act: every handler belongs to the last drawing, so that it reports to the page of today. */
function listen(own, end, { repaint, send }) {
  const { find, cells } = own.views[end];
  const at = () => own.at[end];
  const go = (day) => {
    own.at[end] = keepWithin(day, own.bounds);
    repaint();
  };
  const choose = (day) => {
    if (findFault(day, own.bounds)) return;
    takeOver(own, end, day);
    repaint();
    send();
  };
  const settle = () => cells.find((cell) => cell.dataset.day === String(at())).focus();

  listenToSteps(find, at, go);
  listenToDays(find("tbody"), at, { go, choose, settle });
  find(".typed").onchange = (event) => {
    const text = takeTyped(event.target);
    const day = parseTyped(text);
    const fault = findFault(day, own.bounds);
    if (!fault) return choose(day);
    own.notes[end] = { text: fault, wrong: true };
    own.texts[end] = text;
    repaint();
    send();
  };
}

export default function ({ data, parentElement, setStateValue }) {
  if (!instances.has(parentElement)) instances.set(parentElement, create(parentElement));
  const own = instances.get(parentElement);
  own.bounds = { earliest: parseIso(data.earliest), latest: parseIso(data.latest) };
  own.today = parseIso(data.today);
  if (own.epoch !== data.epoch) startOver(own, data);

  const repaint = () => Object.keys(OTHER).forEach((end) => draw(own, end));
  const send = () =>
    setStateValue("chosen", {
      first: toIso(own.days.first),
      last: toIso(own.days.last),
      finished: !own.notes.first?.wrong && !own.notes.last?.wrong,
      epoch: own.epoch,
    });
  Object.keys(OTHER).forEach((end) => listen(own, end, { repaint, send }));
  repaint();
}
