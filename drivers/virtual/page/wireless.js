// The wireless devices: press the pendant, wear the band, measure, come and go. What is moved here
// goes over the virtual air to the radio process, and from there to the hub.
const VARIATIONS = ["none", "normal", "irregular"];
const GLYPHS = { pendant: "◎", sensor: "◇", band: "♥", cuff: "⊕", phone: "▯" };
const SYSTOLIC = { min: 60, max: 260 };
const DIASTOLIC = { min: 30, max: 160 };
const isDoor = (device) => ["door", "exit_door", "window"].includes(device.sense);

export class Wireless {
  constructor(list, send) {
    this.list = list;
    this.send = send;
    this.items = new Map();
  }

  show(devices, t) {
    for (const [name, item] of this.items) {
      if (devices[name]?.kind === item.kind) continue;
      item.element.remove();
      this.items.delete(name);
    }
    for (const [name, device] of Object.entries(devices)) {
      if (!this.items.has(name)) this.items.set(name, this.build(name, device));
      this.update(this.items.get(name), name, device, t);
    }
  }

  build(name, device) {
    const element = document.createElement("li");
    element.className = "device";
    element.dataset.device = name;
    const head = document.createElement("h3");
    head.append(...["i", "b", "span"].map((part) => document.createElement(part)));
    head.firstChild.textContent = GLYPHS[device.kind];
    const item = { element, kind: device.kind, words: [], refreshers: [], head };
    element.append(head, this.part(item, name, device));
    this.list.append(element);
    return item;
  }

  part(item, name, device) {
    const box = document.createElement("div");
    box.className = "controls";
    const ask = (request) => this.send({ what: name, ...request }, name);
    switch (device.kind) {
      case "pendant":
        box.append(
          this.button(item, "press", () => ask({ do: "pendant" }), "call"),
          this.button(item, "hold", () => ask({ do: "pendant", how: "hold_press" }), "call"),
          this.button(item, "again", () => ask({ do: "pendant", how: "again" })),
          this.button(item, "new_battery", () => ask({ do: "pendant", how: "new_battery" })),
        );
        break;
      case "sensor": {
        const flip = (on) => ask(isDoor(device) ? { do: "door", open: on } : { do: "detector", on });
        box.append(this.flip(item, isDoor(device) ? "door" : "detect", (seen) => seen.on, flip));
        box.append(this.battery(item, name, ask));
        break;
      }
      case "band":
        box.append(
          this.flip(item, "worn", (seen) => seen.worn, (worn) => ask({ do: "band", worn })),
          this.flip(item, "near", (seen) => seen.near, (near) => ask({ do: "band", near })),
          this.slider(item, "pulse", { min: 30, max: 220 }, (seen) => seen.pulse_bpm, (pulse_bpm) => ask({ do: "band", pulse_bpm })),
          this.slider(item, "variation", { min: 0, max: 2 }, (seen) => VARIATIONS.indexOf(seen.variation), (n) => ask({ do: "band", variation: VARIATIONS[n] })),
          this.battery(item, name, ask),
        );
        break;
      case "cuff": {
        const high = this.slider(item, "systolic", SYSTOLIC, (seen) => seen.systolic_mmhg);
        const low = this.slider(item, "diastolic", DIASTOLIC, (seen) => seen.diastolic_mmhg);
        const value = (label) => Number(label.querySelector("input").value);
        const measure = () => ask({ do: "measure", systolic_mmhg: value(high), diastolic_mmhg: value(low) });
        box.append(high, low, this.button(item, "measure", measure));
        break;
      }
      default:
        box.append(this.flip(item, "near", (seen) => seen.near, (near) => ask({ do: "phone", near })));
    }
    return box;
  }

  button(item, word, act, kind = "") {
    const button = document.createElement("button");
    button.type = "button";
    button.className = kind;
    button.dataset.act = word;
    button.addEventListener("click", act);
    item.words.push([button, word]);
    return button;
  }

  flip(item, word, state, act) {
    const button = this.button(item, word, () => act(button.getAttribute("aria-pressed") !== "true"));
    item.refreshers.push((seen) => button.setAttribute("aria-pressed", state(seen)));
    return button;
  }

  battery(item, name, ask) {
    return this.slider(item, "charge", { min: 0, max: 100 }, (seen) => seen.battery_pct, (pct) => ask({ do: "battery", pct }));
  }

  // What is being dragged is not moved by what the house reports; `act` none: it is only kept here.
  slider(item, word, { min, max }, value, act) {
    const label = document.createElement("label");
    const text = document.createElement("span");
    const range = document.createElement("input");
    Object.assign(range, { type: "range", min, max, step: 1 });
    range.dataset.value = word;
    let kept = null;
    const say = (t) => {
      const n = Number(range.value);
      const said = word === "variation" ? `${t("page", word)}: ${t("page", `variation_${VARIATIONS[n]}`)}` : t("page", word).replace("{n}", n);
      if (text.textContent !== said) text.textContent = said;
      range.setAttribute("aria-valuetext", said);
    };
    range.addEventListener("input", () => { kept = Number(range.value); say(item.t); });
    range.addEventListener("change", () => act?.(Number(range.value)));
    item.refreshers.push((seen, t) => {
      if (kept !== null && act && document.activeElement !== range) kept = null;
      if (kept === null) range.value = value(seen);
      say(t);
    });
    label.append(text, range);
    return label;
  }

  update(item, name, device, t) {
    item.t = t;
    const [, title, state] = item.head.children;
    this.write(title, device.place || t("page", `name_${device.kind}`));
    this.write(state, this.state(device, t));
    item.element.dataset.on = Boolean(device.on ?? device.near);
    for (const [element, word] of item.words) this.write(element, t("page", word));
    for (const refresh of item.refreshers) refresh(device, t);
  }

  state(device, t) {
    switch (device.kind) {
      case "pendant":
        return t("page", "name_pendant");
      case "sensor":
        if (isDoor(device)) return t("page", device.on ? "is_open" : "is_shut");
        return `${t("page", `name_${device.sense}`)}: ${t("page", device.on ? "is_found" : "is_clear")}`;
      case "band":
        return device.near ? t("page", device.worn ? "is_worn" : "is_off") : t("page", "is_away");
      case "phone":
        return t("page", device.near ? "is_near" : "is_away");
      default:
        return "";
    }
  }

  write(element, text) {
    if (element.textContent !== text) element.textContent = text;
  }
}
