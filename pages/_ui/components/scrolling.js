// Scrolls to a container of the page, once each time it is asked for.

const GROWS_MS = 1500;
const done = new WeakMap();

export default function ({ data, parentElement }) {
  if (done.get(parentElement) === data.asked) return;
  done.set(parentElement, data.asked);
  const target = document.querySelector(`.st-key-${data.container}`);
  if (!target) return;
  // On a phone the logo lies over the top.
  target.style.scrollMarginTop = "4rem";
  const scroll = () => target.scrollIntoView({ block: "start" });
  // A table takes its height a moment after it is drawn; whoever scrolls meanwhile is left alone.
  const growing = new ResizeObserver(scroll);
  growing.observe(target.parentElement);
  const stop = () => growing.disconnect();
  for (const event of ["wheel", "touchstart", "keydown"]) addEventListener(event, stop, { once: true, passive: true });
  setTimeout(stop, GROWS_MS);
  scroll();
}
