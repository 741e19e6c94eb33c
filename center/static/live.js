// Keeps the page as the server has it: at a server-sent event its live regions are fetched anew.
import { byId, tell } from "./clock.js";
import { morph } from "./morph.js";
const POLL_MS = 7000; // the feed beats every 5 s; without a beat, ask: a proxy may hold it back
const { url, feed, topics } = document.body.dataset;
const state = { at: performance.now(), lost: false, fetching: false, again: false, failures: 0 };
let stream;

export const age = () => (performance.now() - state.at) / 1000;
export const stale = () => state.lost || age() >= 10;

function swap(text) {
  const page = new DOMParser().parseFromString(text, "text/html");
  const held = document.activeElement;
  for (const old of document.querySelectorAll("[data-live]")) morph(old, page.getElementById(old.id) ?? old);
  if (held.isConnected && held !== document.activeElement) held.focus({ preventScroll: true });
  tell(byId("calls").dataset.now);
  state.at = performance.now();
}

async function refresh() {
  if (state.fetching) return void (state.again = true);
  Object.assign(state, { fetching: true, again: false });
  const options = { headers: { "Anbu-Live": "1" }, signal: AbortSignal.timeout(5000) };
  const answer = await fetch(url, options).catch(() => ({ ok: false }));
  const text = answer.ok && (await answer.text().catch(() => ""));
  byId("signed-out").hidden = answer.status !== 401;
  Object.assign(state, { fetching: false, lost: !text });
  if (text) swap(text);
  document.dispatchEvent(new Event("anbu-refreshed"));
  if (state.again) setTimeout(refresh, 250);
}

export function listen() {
  stream?.close();
  if (document.hidden && url !== "/") return; // browsers grant six connections: hidden pages poll
  stream = new EventSource(feed);
  stream.onopen = () => (state.failures = 0);
  for (const topic of topics.split(" ")) stream.addEventListener(topic, refresh);
  stream.onerror = () => {
    stream.close();
    refresh();
    setTimeout(listen, Math.min(15000, 1000 * 2 ** state.failures++) * (0.5 + Math.random() / 2));
  };
}

setInterval(() => age() * 1000 >= POLL_MS && refresh(), 2000);
document.onvisibilitychange = listen;
