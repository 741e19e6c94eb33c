// The page's pulse: once a second the clocks, the bars and the tone; after a change, what to say.
import { ago, byId, tell, tick } from "./clock.js";
import { age, listen, stale } from "./live.js";
import { chime, ring, unmute } from "./sound.js";
import "./keys.js";
import "./sheet.js";

const sayings = () => [...document.querySelectorAll("[data-say]")].map(({ id, dataset }) => [id, dataset.say]);
const grew = () => byId("to-tasks").dataset.grew; // when equipment last failed in one more home
let [known, chimed] = [new Map(sayings()), grew()];

function pulse() {
  const { waiting, rings, title } = byId("calls").dataset;
  tick();
  ring(Number(rings));
  document.title = title;
  document.querySelector("link[rel=icon]").href = `/icon/${waiting}.svg`;
  byId("stale").hidden = !stale();
  byId("link").toggleAttribute("data-lost", stale());
  byId("stale-age").textContent = ago(age());
}

document.addEventListener("anbu-refreshed", () => {
  for (const [id, say] of sayings().filter(([id, say]) => known.get(id) !== say)) {
    const loud = "loud" in byId(id).dataset;
    byId(loud ? "say-loud" : "say").textContent = say;
    if (loud) unmute(); // a new call rings, whatever was muted before it
  }
  known = new Map(sayings());
  if (Number(grew()) > Number(chimed)) chime(grew());
  chimed = grew();
  pulse();
});
tell(byId("calls").dataset.now);
setInterval(pulse, 1000);
pulse();
listen();
