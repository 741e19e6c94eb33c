// Rings while a call waits, or one's own came in again: a tone made here, every 4 s, until somebody
// takes it or mutes for 1 min.
import { byId } from "./clock.js";
const [EVERY_MS, MUTE_MS] = [4000, 60000];
const audio = globalThis.AudioContext ? new AudioContext() : { state: "none", resume() {} };

function left(name, most) { // ms; shared by all tabs. What lies further ahead was written before the
  const ms = Number(localStorage.getItem(name) ?? 0) - Date.now(); // clock of this machine was set back
  return ms > 0 && ms <= most ? ms : 0;
}

export const unmute = () => localStorage.removeItem("anbu-mute");

function tone(hertz, start, loud = 0.4) {
  const source = new OscillatorNode(audio, { frequency: hertz });
  const loudness = new GainNode(audio, { gain: 0 });
  loudness.gain.setValueCurveAtTime([0, loud, loud, 0], start, 0.35);
  source.connect(loudness).connect(audio.destination);
  source.start(start);
  source.stop(start + 0.35);
}

export function ring(waiting) {
  const muted = left("anbu-mute", MUTE_MS);
  const now = audio.state !== "running" ? "blocked" : !waiting ? "ready" : muted ? "muted" : "ringing";
  byId("sound").dataset.sound = now;
  byId("sound-left").textContent = Math.ceil(muted / 1000);
  if (now !== "ringing" || left("anbu-next", EVERY_MS)) return; // or another tab has just rung
  tone(880, audio.currentTime);
  tone(660, audio.currentTime + 0.35);
  localStorage.setItem("anbu-next", Date.now() + EVERY_MS); // last: a full storage refuses it
}

export function chime(sign) { // equipment fails: one soft tone in all tabs, and no ringing
  if (localStorage.getItem("anbu-chimed") === sign || audio.state !== "running") return;
  localStorage.setItem("anbu-chimed", sign);
  tone(523, audio.currentTime, 0.08);
}

for (const kind of ["pointerdown", "keydown"]) addEventListener(kind, () => audio.resume());
byId("sound-mute").onclick = () => localStorage.setItem("anbu-mute", Date.now() + MUTE_MS);
byId("sound-unmute").onclick = unmute;
