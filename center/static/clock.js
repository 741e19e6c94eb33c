// Ticking times by the server's clock, whatever this machine's clock says.
const two = (n) => String(Math.floor(n) % 60).padStart(2, "0");
const span = (s) => (s >= 3600 ? `${Math.floor(s / 3600)}:` : "") + two(s / 60) + ":" + two(s);
const age = (s) => (s >= 180 ? "overdue" : s >= 60 ? "late" : "fresh"); // as center/domain/incident.py has it
export const byId = (id) => document.getElementById(id);
let ahead = 0; // seconds from this page's monotonic clock to the server's
export const tell = (serverUtc) => (ahead = Number(serverUtc) - performance.now() / 1000);

export function ago(s, words = document.body.dataset) {
  const [unit, size] = [["d", 86400], ["h", 3600], ["m", 60], ["s", 1]].find(([u, n]) => s >= n || u === "s");
  return words[`ago_${unit}`].replace("{n}", Math.floor(s / size));
}

function each(name, write) {
  const now = ahead + performance.now() / 1000;
  for (const node of document.querySelectorAll(`[data-${name}]`)) {
    write(node, Math.max(0, (now - node.dataset[name]) * (name === "until" ? -1 : 1)));
  }
}

export function tick() {
  each("ages", (node, s) => (node.dataset.age = age(s)));
  for (const name of ["since", "until"]) each(name, (node, s) => (node.textContent = span(s)));
  each("ago", (node, s) => (node.textContent = ago(s)));
}
