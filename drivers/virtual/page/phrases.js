// What the resident may say, where no microphone hears them: one button a meaning.
const LOUD = "help";

export class Phrases {
  constructor(list, send) {
    this.list = list;
    this.send = send;
  }

  show(said) {
    for (const [what, text] of Object.entries(said)) {
      const button = this.list.querySelector(`[data-phrase="${what}"]`) ?? this.build(what);
      if (button.textContent !== text) button.textContent = text;
    }
  }

  build(what) {
    const item = document.createElement("li");
    const button = document.createElement("button");
    button.type = "button";
    button.className = what === LOUD ? "phrase loud" : "phrase";
    button.dataset.phrase = what;
    button.addEventListener("click", () => this.send({ do: "speak", what }, what));
    item.append(button);
    this.list.append(item);
    return button;
  }
}
