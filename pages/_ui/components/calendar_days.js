// Days are whole numbers, counted from 1 January 1970: no time zone and no clock change can move them.
const DAY_MS = 86_400_000;
const GRID_DAYS = 42;
const WEEKDAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
const MONTHS = [
  "January",
  "February",
  "March",
  "April",
  "May",
  "June",
  "July",
  "August",
  "September",
  "October",
  "November",
  "December",
];

/** The day of a date; months count from 0, and what is too much runs over into the next month or year. */
function toDay(year, month, date) {
  return Date.UTC(year, month, date) / DAY_MS;
}

/** The calendar's words for a day: { year, month, date }, months from 0. */
function partsOf(day) {
  const moment = new Date(day * DAY_MS);
  return { year: moment.getUTCFullYear(), month: moment.getUTCMonth(), date: moment.getUTCDate() };
}

/** The day of a date that exists, else null: there is no 31 February. */
function findDay(year, month, date) {
  const day = toDay(year, month, date);
  const found = partsOf(day);
  return found.year === year && found.month === month && found.date === date ? day : null;
}

/** 2026-03-01 */
function parseIso(text) {
  const [year, month, date] = text.split("-").map(Number);
  return findDay(year, month - 1, date);
}

function toIso(day) {
  return new Date(day * DAY_MS).toISOString().slice(0, 10);
}

/** What a person typed as DD/MM/YYYY, also without leading zeros and with dots or dashes; null if it is no day. */
function parseTyped(text) {
  const match = /^\s*(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})\s*$/.exec(text);
  return match ? findDay(Number(match[3]), Number(match[2]) - 1, Number(match[1])) : null;
}

function toTyped(day) {
  return toIso(day).split("-").reverse().join("/");
}

/** 0 for Monday to 6 for Sunday. */
function weekdayOf(day) {
  return (((day + 3) % 7) + 7) % 7;
}

/** Monday 2 March 2026 */
function describeDay(day) {
  const { year, month, date } = partsOf(day);
  return `${WEEKDAYS[weekdayOf(day)]} ${date} ${MONTHS[month]} ${year}`;
}

/** March 2026 */
function describeMonth(day) {
  const { year, month } = partsOf(day);
  return `${MONTHS[month]} ${year}`;
}

/** The same date in another month, or that month's last day where it has no such date. */
function addMonths(day, count) {
  const { year, month, date } = partsOf(day);
  const length = partsOf(toDay(year, month + count + 1, 0)).date;
  return toDay(year, month + count, Math.min(date, length));
}

/** The month of a day as six weeks from Monday on, always as many: a day or null in each place. */
function layOutMonth(day) {
  const { year, month } = partsOf(day);
  const first = toDay(year, month, 1);
  const end = toDay(year, month + 1, 1);
  return Array.from({ length: GRID_DAYS }, (_, place) => {
    const found = first - weekdayOf(first) + place;
    return found >= first && found < end ? found : null;
  });
}

function keepWithin(day, { earliest, latest }) {
  return Math.min(Math.max(day, earliest), latest);
}

/** Where a key leads from a day, or null if it leads nowhere. */
function followKey(day, key, shift) {
  const months = shift ? 12 : 1;
  const ways = {
    ArrowLeft: () => day - 1,
    ArrowRight: () => day + 1,
    ArrowUp: () => day - 7,
    ArrowDown: () => day + 7,
    Home: () => day - weekdayOf(day),
    End: () => day - weekdayOf(day) + 6,
    PageUp: () => addMonths(day, -months),
    PageDown: () => addMonths(day, months),
  };
  return Object.hasOwn(ways, key) ? ways[key]() : null;
}

/** The range after one end ("first" or "last") was chosen: where it would be turned round, the other end follows. */
function chooseEnd({ first, last }, end, day) {
  return end === "first" ? { first: day, last: Math.max(day, last) } : { first: Math.min(day, first), last: day };
}
