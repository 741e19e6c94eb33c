// The page works without this: it shows the password, and follows what the hub does.
"use strict";
const show = document.getElementById("show");
const password = document.getElementById("password");
if (show && password) {
  show.closest("label").hidden = false;
  show.addEventListener("change", () => { password.type = show.checked ? "text" : "password"; });
}
const other = document.getElementById("other");
if (other) other.addEventListener("input", () => { document.getElementById("pick-other").checked = true; });

// A phone loses the hotspot while the hub tries the Wi-Fi, and comes back to it later.
const here = document.body.dataset.revision;
const away = document.getElementById("away");
async function follow() {
  try {
    const answer = await fetch("/state", { cache: "no-store", signal: AbortSignal.timeout(4000) });
    const now = await answer.json();
    if (away) away.hidden = true;
    if (String(now.revision) !== here && !(password && password.value)) {
      location.replace("/" + location.search);
      return;
    }
  } catch {
    if (away && document.body.dataset.doing) away.hidden = false;
  }
  setTimeout(follow, 2000);
}
setTimeout(follow, 2000);
