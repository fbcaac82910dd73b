// Leaves the page when its session has ended, reloads it when somebody else has signed in, and warns before an
// idle session ends.
//
// Streamlit keeps showing the old page after the server has closed its websocket; this does not. The question
// asked here never counts as activity; only the button "Stay logged in" does.
"use strict";

(() => {
  const PERIOD_MS = 5000;
  const userId = document.currentScript.dataset.userId;
  let asking = false;
  // What the last answer said: when the session ends if nothing is done, and by what.
  let endsAt = Infinity;
  let endsBy = "";
  let warning = null;
  let dismissed = false;
  // Set by the button "Log out": whatever notices first that the session is over, nobody is to be led back here.
  let loggingOut = false;

  const here = () => encodeURIComponent(location.pathname + location.search);

  function leave() {
    if (loggingOut) {
      location.replace("/login");
      return;
    }
    // Only a session that ran out is explained; one that was ended elsewhere is not.
    const why = performance.now() >= endsAt - 1000 ? `&ended=${endsBy}` : "";
    location.replace(`/login?next=${here()}${why}`);
  }

  async function ask() {
    if (asking) return;
    asking = true;
    try {
      const answer = await fetch("/session/ping", { cache: "no-store", credentials: "same-origin" });
      if (answer.status === 401) leave();
      else if (answer.ok) take(await answer.json());
    } catch (error) {
      // The server is away. Streamlit shows that itself, and the next tick asks again.
      console.debug("session ping failed", error);
    } finally {
      asking = false;
    }
  }

  function take(facts) {
    if (facts.user_id !== userId) {
      location.reload();
      return;
    }
    endsAt = performance.now() + facts.seconds_left * 1000;
    endsBy = facts.ends_by;
    if (!facts.warns) {
      dismissed = false;
      hideWarning();
    } else if (!dismissed) {
      warning ??= showWarning();
    }
  }

  // A header that no other site can set.
  const order = (path) => fetch(path, { method: "POST", credentials: "same-origin", headers: { "X-Heliograph": "1" } });

  async function stay() {
    await order("/session/touch").catch(() => undefined);
    await ask();
  }

  async function logOut() {
    loggingOut = true;
    const answer = await order("/session/end").catch(() => undefined);
    if (answer?.ok || answer?.status === 401) location.replace("/login");
  }

  // The toolbar's button goes through Streamlit, which ends the session and then says where to go; but the socket may
  // be closed before it has said so.
  function noticeLogOut(event) {
    if (!event.target.closest?.(".st-key-frame_log_out button")) return;
    loggingOut = true;
    setTimeout(ask, 1000);
  }

  function dismiss() {
    dismissed = true;
    hideWarning();
  }

  // The warning

  const STYLE = `
    .box { position: fixed; z-index: 2147483000; left: 50%; bottom: 1.25rem; transform: translateX(-50%);
      box-sizing: border-box; width: min(37rem, calc(100vw - 2rem)); padding: 1rem 1.1rem; border-radius: 0.7rem;
      display: flex; flex-wrap: wrap; gap: 0.75rem 1rem; align-items: center; justify-content: space-between;
      background: #ffffff; color: #1d1b26; border: 1px solid #8d8a9c; box-shadow: 0 10px 34px rgb(20 16 50 / 28%);
      font: 15px/1.45 "Source Sans", "Source Sans 3", system-ui, sans-serif; }
    .words { flex: 1 1 14rem; margin: 0; }
    .words b { display: block; font-weight: 650; }
    .left { font-variant-numeric: tabular-nums; }
    .buttons { display: flex; gap: 0.5rem; }
    button { font: inherit; font-weight: 600; padding: 0.5rem 0.9rem; border-radius: 0.5rem; cursor: pointer;
      border: 1px solid #8d8a9c; background: transparent; color: inherit; white-space: nowrap; }
    button.main { border-color: transparent; background: #6750d8; color: #ffffff; }
    button:focus-visible { outline: 3px solid #a594ff; outline-offset: 2px; }
    @media (prefers-color-scheme: dark) {
      .box { background: #1e1b29; color: #eceaf4; border-color: #7d788f; }
      button.main { background: #a594ff; color: #17132b; }
    }`;

  function make(tag, facts, ...children) {
    const element = Object.assign(document.createElement(tag), facts);
    element.append(...children);
    return element;
  }

  function showWarning() {
    const idle = endsBy === "idle";
    const left = make("span", { className: "left" });
    const head = make("b", { id: "title" }, idle ? "Are you still there? " : "You will be logged out soon ", left);
    const words = make("span", {
      textContent: idle
        ? "You will be logged out soon if you do nothing."
        : "Your session reaches its time limit. Save your work, then log in again.",
    });
    const text = make("p", { className: "words" }, head, words);
    const stays = make("button", { type: "button", className: "main", textContent: idle ? "Stay logged in" : "OK" });
    const ends = make("button", { type: "button", textContent: "Log out" });
    stays.addEventListener("click", idle ? stay : dismiss);
    ends.addEventListener("click", logOut);
    const box = make("div", { className: "box" }, text, make("div", { className: "buttons" }, stays, ends));
    // Read aloud once, when it appears: the seconds are for the eye. The keyboard's focus stays where it is, because
    // the person may be typing.
    box.setAttribute("role", "dialog");
    box.setAttribute("aria-labelledby", "title");
    words.setAttribute("role", "alert");
    left.setAttribute("aria-hidden", "true");

    // Apart from Streamlit's elements and styles: it may redraw its page at any time.
    const host = make("div", { id: "heliograph-session-warning" });
    host.attachShadow({ mode: "open" }).append(make("style", { textContent: STYLE }), box);
    const tick = () => {
      const seconds = Math.max(0, Math.ceil((endsAt - performance.now()) / 1000));
      left.textContent = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
      if (seconds === 0) ask();
    };
    tick();
    document.body.append(host);
    return { host, timer: setInterval(tick, 1000) };
  }

  function hideWarning() {
    if (warning === null) return;
    clearInterval(warning.timer);
    warning.host.remove();
    warning = null;
  }

  setInterval(ask, PERIOD_MS);
  ask();
  document.addEventListener("click", noticeLogOut, { capture: true });
  addEventListener("online", ask);
  addEventListener("pageshow", ask);
  document.addEventListener("visibilitychange", () => document.hidden || ask());
})();
