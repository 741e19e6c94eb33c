// The rooms: walk past a motion sensor, open a door, pull the plug, run a battery down.
const GLYPHS = { motion: ["◌", "◉"], door: ["▮", "▯"], exit_door: ["▮", "▯"], mains: ["✕", "⚡"] };
const FLIPS = {
  motion: (what) => ({ do: "motion", what }),
  door: (what, on) => ({ do: "door", what, open: !on }),
  exit_door: (what, on) => ({ do: "door", what, open: !on }),
  mains: (_, on) => ({ do: "mains", present: !on }),
};

export class Rooms {
  constructor(list, send) {
    this.list = list;
    this.send = send;
    this.items = new Map();
  }

  show(sensors, t) {
    for (const [name, sensor] of Object.entries(sensors)) {
      if (!this.items.has(name)) this.items.set(name, this.build(name, sensor));
      this.update(this.items.get(name), name, sensor, t);
    }
  }

  build(name, sensor) {
    const item = document.createElement("li");
    const button = document.createElement("button");
    button.type = "button";
    button.className = "sensor";
    button.dataset.sensor = name;
    button.append(...["i", "b", "span"].map((part) => document.createElement(part)));
    button.addEventListener("click", () => this.send(FLIPS[sensor.sense](name, button.dataset.on === "true"), name));
    button.disabled = !(sensor.sense in FLIPS);
    item.append(button);
    if (sensor.battery_pct !== null) item.append(this.slider(name));
    this.list.append(item);
    return item;
  }

  slider(name) {
    const label = document.createElement("label");
    const range = document.createElement("input");
    Object.assign(range, { type: "range", min: 0, max: 100, step: 1 });
    range.dataset.battery = name;
    range.addEventListener("change", () => this.send({ do: "battery", what: name, pct: Number(range.value) }, name));
    label.append(document.createElement("span"), range);
    return label;
  }

  update(item, name, sensor, t) {
    const [button, label] = item.children;
    const [mark, place, state] = button.children;
    button.dataset.on = sensor.on;
    button.title = t("page", `flip_${sensor.sense}`);
    this.write(mark, (GLYPHS[sensor.sense] ?? ["·", "·"])[Number(sensor.on)]);
    this.write(place, sensor.place || name);
    this.write(state, t("proof", `${sensor.sense}_${sensor.on ? "on" : "off"}`));
    if (!label) return;
    const range = label.querySelector("input");
    if (document.activeElement !== range) range.value = sensor.battery_pct;
    this.write(label.firstChild, t("proof", "battery").replace("{pct}", sensor.battery_pct));
  }

  write(element, text) {
    if (element.textContent !== text) element.textContent = text;
  }
}
