// One step back leads to where a person was.
//
// Leaving for another page with parameters, Streamlit first puts the new parameters behind the old page's address and
// then the new page's address after that: two entries, and a step back would end on an address nobody has seen, with
// the filters gone. The second replaces the first here.
//
// And Streamlit opens every link in a new tab, which has no way back; a relative one leads to a page of ours and stays.

const AT_ONCE_MS = 2000;

export default function () {
  if (window.heliographHistory) return;
  window.heliographHistory = true;
  const push = history.pushState.bind(history);
  let query = { search: "", at: -AT_ONCE_MS };
  history.pushState = (state, title, url) => {
    const next = new URL(url ?? location.href, location.href);
    const isOtherPage = next.pathname !== location.pathname;
    const now = performance.now();
    if (isOtherPage && next.search && next.search === query.search && now - query.at < AT_ONCE_MS) {
      history.replaceState(state, title, url);
    } else {
      push(state, title, url);
    }
    query = { search: isOtherPage ? "" : next.search, at: now };
  };
  const stay = (event) => {
    const link = event.target.closest?.("a[target=_blank]");
    if (link && !/^([a-z]+:|\/)/i.test(link.getAttribute("href"))) link.target = "_self";
  };
  document.addEventListener("click", stay, { capture: true });
}
