// An installer's page: its live region is fetched anew every two seconds; digits are grouped.
import { byId, tell, tick } from "./clock.js";
import { morph } from "./morph.js";
import "./sheet.js";
const EVERY_MS = 2000;
const LOST = 3; // fetches without an answer: the page says that it is old
const digits = byId("digits");
let failures = 0;

digits?.addEventListener("input", () => {
  const plain = digits.value.replace(/\D/g, "").slice(0, 8);
  if (digits.selectionStart === digits.value.length) digits.value = plain.replace(/^(\d{4})(?=\d)/, "$1 ");
});

function follow(fresh) {
  const old = byId("live");
  if (fresh) morph(old, fresh);
  if (old.dataset.now) tell(old.dataset.now);
}

async function refresh() {
  const answer = await fetch(document.body.dataset.url, { signal: AbortSignal.timeout(5000) }).catch(() => null);
  if (answer?.redirected) return void location.reload(); // signed out
  failures = answer?.ok ? 0 : failures + 1;
  byId("stale").hidden = failures < LOST;
  if (!answer?.ok) return;
  follow(new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("live"));
}

if (byId("live")) {
  follow();
  tick();
  setInterval(tick, 1000);
  setInterval(() => document.hidden || refresh(), EVERY_MS);
}
