// The page shows what the house's pins do (server-sent events) and holds contacts while held.
import { Phrases } from "./phrases.js";
import { Rooms } from "./rooms.js";
import { Tone } from "./tone.js";
import { Traces } from "./traces.js";
import { Wireless } from "./wireless.js";

const GLYPHS = { red: "!", green: "✓", amber: "△", none: "…" };
const TONES = {
  raised: "red", undelivered: "red", received: "red", accepted: "red",
  resting: "green", pairing: "green", present: "green", closed: "green", cancelled: "green",
  fault: "amber", offline: "amber",
};
const $ = (selector) => document.querySelector(selector);
const all = (selector) => [...document.querySelectorAll(selector)];
const tone = new Tone();
const traces = new Traces($("#traces"));
const rooms = new Rooms($("#sensors"), (request, name) => queue(request, name));
const wireless = new Wireless($("#devices"), (request, name) => queue(request, name));
const phrases = new Phrases($("#phrases"), (request, name) => queue(request, name));
const words = await (await fetch("/words.json")).json();
let language = new URLSearchParams(location.search).get("lang") === "en" ? "en" : "ko";
let seen = null;
let seenAt = 0;

const t = (section, key) => words[language][section]?.[key] ?? key;
const filled = (text, values) => text.replace(/\{(\w+)\}/g, (_, key) => values[key]);

function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function speak() {
  document.documentElement.lang = language;
  document.title = `${t("page", "title")} · ${t("page", "subtitle")}`;
  for (const element of all("[data-t]")) write(element, t("page", element.dataset.t));
  for (const element of all("[data-part]")) write(element, t("part", element.dataset.part));
  for (const element of all("[data-label]")) element.setAttribute("aria-label", t("page", element.dataset.label));
  for (const element of all("[data-lang]")) element.setAttribute("aria-pressed", element.dataset.lang === language);
  for (const element of all(".contact")) element.title = t("contact", element.dataset.what);
  write($("#away"), t("page", "away"));
  write($("#refused"), "");
  phrases.show(words[language].speak);
  showSound();
  if (seen) show();
}

function showSound() {
  $("#sound").setAttribute("aria-pressed", tone.allowed);
  write($("#sound"), t("page", tone.allowed ? "sound_off" : "sound_on"));
}

function caption(say) {
  // An English page says again in English what the hub has spoken in Korean.
  return (/[가-힣]/.test(say.text) && words[language].said?.[say.phrase]) || say.text;
}

function showSpeech(said) {
  const last = said.at(-1);
  write($("#speech"), last ? caption(last) : t("page", "quiet"));
  const spoken = last && caption(last) !== last.text ? filled(t("page", "spoken_in_korean"), last) : "";
  write($("#spoken"), spoken);
  $("#spoken").hidden = !spoken;
}

function ago(seconds) {
  if (seconds < 2) return t("page", "now");
  const minutes = seconds >= 90;
  return filled(t("page", minutes ? "ago_min" : "ago_s"), { n: Math.round(minutes ? seconds / 60 : seconds) });
}

function showSaid() {
  const since = (performance.now() - seenAt) / 1000;
  const lines = (seen?.said ?? []).toReversed().map((say) => [caption(say), ago(say.age_s + since)]);
  const list = $("#said");
  while (list.children.length > lines.length) list.lastChild.remove();
  while (list.children.length < lines.length) {
    const item = document.createElement("li");
    item.append(document.createElement("span"), document.createElement("time"));
    list.append(item);
  }
  lines.forEach(([text, when], index) => {
    const [span, time] = list.children[index].children;
    write(span, text);
    write(time, when);
  });
}

function show() {
  for (const element of all("[data-lamp]")) element.classList.toggle("on", seen.lamps[element.dataset.lamp]?.on ?? false);
  for (const element of all(".contact")) {
    const held = seen.contacts[element.dataset.what];
    element.hidden = held === undefined;
    element.classList.toggle("held", Boolean(held));
  }
  const kind = TONES[seen.signal] ?? "none";
  $(".strip").dataset.tone = kind;
  document.body.dataset.signal = seen.signal ?? "none";
  write($(".glyph"), GLYPHS[kind]);
  write($("#meaning"), t("signal", seen.signal ?? "none"));
  $("#rooms").hidden = Object.keys(seen.sensors).length === 0;
  rooms.show(seen.sensors, t);
  $("#wireless").hidden = Object.keys(seen.wireless.devices).length === 0;
  $("#unheard").hidden = seen.wireless.heard;
  wireless.show(seen.wireless.devices, t);
  traces.show(seen.lamps, t);
  tone.play(seen.lamps.buzzer?.on ?? false);
  showSpeech(seen.said);
  showSaid();
}

function hear(message) {
  const news = JSON.parse(message.data);
  $("#away").hidden = news.ok;
  if (!news.ok) {
    tone.play(false);
    return;
  }
  [seen, seenAt] = [news, performance.now()];
  show();
}

// Touches go out one after the other, so that a release cannot overtake its press.
let touching = Promise.resolve();
const holding = new Set();

function queue(request, what) {
  touching = touching.then(() => send(request, what)).catch(() => { $("#away").hidden = false; });
}

async function send(request, what) {
  const answer = await fetch("/touch", {
    method: "POST", keepalive: true,
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(request),
  });
  const said = answer.ok ? null : await answer.json();
  const name = t("contact", what);
  const text = said && filled(t("cli", said.error) ?? "", { ...said, name, what, socket: "" });
  write($("#refused"), text ? filled(t("page", "refused"), { detail: text }) : "");
}

function press(what) {
  if (holding.has(what)) return;
  holding.add(what);
  queue({ do: "press", what }, what);
}

function release(what) {
  if (holding.delete(what)) queue({ do: "release", what }, what);
}

const releaseAll = () => [...holding].forEach(release);
const isPressKey = (event) => event.key === " " || event.key === "Enter";

for (const element of all(".contact")) {
  const what = element.dataset.what;
  element.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    element.setPointerCapture(event.pointerId);
    press(what);
  });
  for (const end of ["pointerup", "pointercancel", "lostpointercapture", "blur"]) element.addEventListener(end, () => release(what));
  element.addEventListener("keydown", (event) => { if (isPressKey(event)) { event.preventDefault(); press(what); } });
  element.addEventListener("keyup", (event) => { if (isPressKey(event)) release(what); });
  element.addEventListener("contextmenu", (event) => event.preventDefault());
}

const byKey = (event) => event.ctrlKey || event.altKey || event.metaKey ? null : $(`.contact[data-key="${CSS.escape(event.key.toLowerCase())}"]`);
addEventListener("keydown", (event) => { const element = byKey(event); if (element) press(element.dataset.what); });
addEventListener("keyup", (event) => { const element = byKey(event); if (element) release(element.dataset.what); });
addEventListener("blur", releaseAll);
addEventListener("pagehide", releaseAll);
$("#sound").addEventListener("click", () => { tone.toggle(); showSound(); });
for (const button of all("[data-lang]")) button.addEventListener("click", () => { language = button.dataset.lang; speak(); });

speak();
const stream = new EventSource("/events");
stream.addEventListener("message", hear);
stream.addEventListener("error", () => { $("#away").hidden = false; tone.play(false); });
setInterval(showSaid, 1000);
