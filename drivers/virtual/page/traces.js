// The rhythm of each lamp over the last six seconds, drawn as high and low: it needs no colour.
const SECONDS = 6;
const MARKS = { red: "!", green: "✓", amber: "△", buzzer: "♪" };
const FRAME_MS = matchMedia("(prefers-reduced-motion: reduce)").matches ? 500 : 50;

export class Traces {
  #list;
  #rows = new Map();

  constructor(list) {
    this.#list = list;
    setInterval(() => this.#draw(), FRAME_MS);
  }

  show(lamps, t) {
    for (const [name, lamp] of Object.entries(lamps)) {
      const row = this.#rows.get(name) ?? this.#row(name);
      if (row.edges.at(-1)?.on !== lamp.on) row.edges.push({ at: performance.now(), on: lamp.on });
      row.name.textContent = t("part", name);
      row.words.textContent = t("pattern", lamp.pattern);
    }
  }

  #row(name) {
    const [item, label, words] = ["li", "span", "span"].map((tag) => document.createElement(tag));
    const canvas = document.createElement("canvas");
    label.className = "name";
    label.dataset.mark = MARKS[name] ?? "•";
    words.className = "words";
    canvas.setAttribute("aria-hidden", "true");
    item.dataset.tone = name;
    item.append(label, words, canvas);
    this.#list.append(item);
    const row = { name: label, words, canvas, edges: [] };
    this.#rows.set(name, row);
    return row;
  }

  #draw() {
    for (const row of this.#rows.values()) this.#drawRow(row);
  }

  #drawRow({ canvas, edges }) {
    const now = performance.now();
    const start = now - SECONDS * 1000;
    while (edges.length > 1 && edges[1].at < start) edges.shift();
    const [width, height] = [canvas.clientWidth, canvas.clientHeight];
    if (canvas.width !== width) [canvas.width, canvas.height] = [width, height];
    const pen = canvas.getContext("2d");
    pen.clearRect(0, 0, width, height);
    pen.fillStyle = getComputedStyle(canvas).getPropertyValue("--tone") || "#0b50d0";
    const x = (at) => ((Math.max(at, start) - start) / (SECONDS * 1000)) * width;
    pen.fillRect(0, height - 2, width, 2);
    edges.forEach((edge, index) => {
      if (edge.on) pen.fillRect(x(edge.at), 3, Math.max(2, x(edges[index + 1]?.at ?? now) - x(edge.at)), height - 5);
    });
  }
}
