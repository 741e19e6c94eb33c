// The buzzer's tone. Browsers play nothing before a person has clicked, so it begins muted.
const PITCH_HZ = 2700; // about where a piezo buzzer sings
const LOUDNESS = 0.06;

export class Tone {
  allowed = false;
  #gain = null;

  toggle() {
    this.allowed = !this.allowed;
    if (this.allowed && !this.#gain) this.#open();
    if (!this.allowed) this.play(false);
  }

  play(on) {
    if (!this.#gain) return;
    this.#gain.gain.value = on && this.allowed ? LOUDNESS : 0;
  }

  #open() {
    const context = new AudioContext();
    this.#gain = context.createGain();
    this.#gain.gain.value = 0;
    const source = context.createOscillator();
    source.frequency.value = PITCH_HZ;
    source.connect(this.#gain).connect(context.destination);
    source.start();
  }
}
