// Single keys for what an operator does all day; by their place, so that a Hangul IME may be on.
import { byId } from "./clock.js";
const ACTS = { KeyT: "take", KeyS: "send", KeyP: "present", KeyC: "close", KeyN: "note", Slash: "search" };
const MOVES = { KeyJ: 1, ArrowDown: 1, KeyK: -1, ArrowUp: -1 };
const rows = () => [...document.querySelectorAll("[data-row]")];

function move(step) {
  const here = rows().findIndex((row) => row.contains(document.activeElement));
  const next = here < 0 ? 0 : Math.min(rows().length - 1, Math.max(0, here + step));
  rows()[next].querySelector("a").focus();
}

function act(name) {
  const within = document.activeElement.closest("[data-row]") ?? document;
  const found = [...within.querySelectorAll(`[data-act=${name}]`)];
  if (found.length > 1) move(1); // which one? the operator says, and presses again
  else if (found[0]?.matches("button")) found[0].click();
  else found[0]?.focus();
}

addEventListener("keydown", (event) => {
  const typing = event.target.matches("textarea, select, input:not([type=checkbox])");
  const off = localStorage.getItem("anbu-keys") === "off" || byId("help").open;
  if (typing || off || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.code === "Slash" && event.shiftKey) byId("help").showModal();
  else if (MOVES[event.code] && rows().length) move(MOVES[event.code]);
  else if (ACTS[event.code] && !event.repeat) act(ACTS[event.code]);
  else return;
  event.preventDefault();
});
byId("help-open").onclick = () => byId("help").showModal();
byId("keys-on").checked = localStorage.getItem("anbu-keys") !== "off";
byId("keys-on").onchange = ({ target }) => localStorage.setItem("anbu-keys", target.checked ? "on" : "off");
