// Leaves the page when its session has ended, and reloads it when somebody else has signed in.
//
// Streamlit keeps showing the old page after the server has closed its websocket; this does not. The question
// asked here never counts as activity.
"use strict";

(() => {
  const PERIOD_MS = 5000;
  const userId = document.currentScript.dataset.userId;
  let asking = false;

  async function ask() {
    if (asking) return;
    asking = true;
    try {
      const answer = await fetch("/session/ping", { cache: "no-store", credentials: "same-origin" });
      if (answer.status === 401) {
        location.replace("/login?next=" + encodeURIComponent(location.pathname + location.search));
      } else if (answer.ok && (await answer.json()).user_id !== userId) {
        location.reload();
      }
    } catch (error) {
      // The server is away. Streamlit shows that itself, and the next tick asks again.
      console.debug("session ping failed", error);
    } finally {
      asking = false;
    }
  }

  setInterval(ask, PERIOD_MS);
  addEventListener("online", ask);
  addEventListener("pageshow", ask);
  document.addEventListener("visibilitychange", () => document.hidden || ask());
})();
