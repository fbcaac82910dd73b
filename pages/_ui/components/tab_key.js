// Tab goes on where the page has changed.
//
// A browser goes on behind the place of what had the focus, even when that is gone: after Next Step, or on a page that a
// button at the lower edge led to, the next Tab would pass all that is new, and stop at Launch.

let last = { element: document.body, path: location.pathname, isBelow: false };

export default function () {
  if (window.heliographTabKey) return;
  window.heliographTabKey = true;
  document.addEventListener("focusin", ({ target }) => {
    last = { element: target, path: location.pathname, isBelow: Boolean(target.closest("[data-testid=stBottom]")) };
  });
  const begin = (event) => {
    if (event.key !== "Tab" || event.shiftKey || document.activeElement !== document.body) return;
    const isNew = last.isBelow || last.path !== location.pathname;
    if (isNew && !last.element.isConnected) document.querySelector("[data-testid=stMain]")?.focus({ preventScroll: true });
  };
  document.addEventListener("keydown", begin, { capture: true });
}
