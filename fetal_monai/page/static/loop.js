// The player of a loop, with the head circumference of each frame as a curve under it.

import { frameOf, get, picture } from "./api.js";

const SVG = "http://www.w3.org/2000/svg";
const [WIDTH, HEIGHT, MARGIN] = [1000, 64, 6];
const USUAL_RATE_HZ = 25;

function node(name, attributes) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

export class Loop {
  #playing = null;
  #pictures = new Map();

  constructor(element, current, viewer, showsModel) {
    Object.assign(this, { element, current, viewer, showsModel, id: null, track: null });
    const part = (name) => element.querySelector(`#${name}`);
    Object.assign(this, { svg: part("track"), position: part("position"), at: part("at"), play: part("play"), proposed: part("proposed") });
    this.svg.setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT}`);
    current.addEventListener("opened", () => this.#opened());
    current.addEventListener("rescaled", () => this.#measure());
    this.position.addEventListener("input", () => this.#go(Number(this.position.value)));
    this.play.addEventListener("click", () => this.toggle());
    this.proposed.addEventListener("click", () => this.toProposed());
    this.svg.addEventListener("click", (event) => {
      const { left, width } = this.svg.getBoundingClientRect();
      this.#go(Math.round(((event.clientX - left) / width) * this.last));
    });
  }

  get last() {
    return Number(this.position.max);
  }

  toggle() {
    if (this.element.hidden) return;
    if (this.#playing) this.#stop();
    else this.#start();
  }

  step(step) {
    if (!this.element.hidden) this.#go(this.current.frame.index + step);
  }

  toProposed() {
    if (this.track?.proposed != null) this.#go(this.track.proposed);
  }

  #go(index) {
    this.#stop(false);
    const { id } = this.current.frame;
    this.current.open({ id, index: Math.min(Math.max(index, 0), this.last) }, this.current.file);
  }

  #opened() {
    const { file, frame } = this.current;
    const isLoop = !this.current.problem && file.frame_count > 1;
    if (this.element.hidden === isLoop) this.element.hidden = !isLoop;
    if (frame.id !== this.id) {
      this.#stop(false);
      this.#pictures.clear();
      Object.assign(this, { id: frame.id, track: null });
      this.position.max = isLoop ? file.frame_count - 1 : 0;
      if (isLoop) this.#measure();
    }
    if (isLoop) this.#mark(frame.index);
  }

  async #measure() {
    const { id } = this;
    if (this.element.hidden) return;
    this.svg.replaceChildren();
    const track = await get(`files/${id}/loop`).catch(() => null);
    if (id !== this.id || !track) return;
    this.track = track;
    this.proposed.disabled = track.proposed == null;
    this.#draw();
  }

  #draw() {
    const { circumference, smoothed, proposed, unit } = this.track;
    const known = circumference.filter((value) => value != null);
    const [least, most] = [Math.min(...known), Math.max(...known)];
    const x = (index) => (index / this.last) * WIDTH;
    const y = (value) => HEIGHT - MARGIN - ((value - least) / Math.max(most - least, 1e-6)) * (HEIGHT - 2 * MARGIN);
    const line = (values) => values.map((value, index) => (value == null ? "" : `${values[index - 1] == null ? "M" : "L"}${x(index).toFixed(1)} ${y(value).toFixed(1)}`)).join("");
    this.cursor = node("path", { class: "cursor" });
    this.svg.replaceChildren(node("path", { class: "values", d: line(circumference) }), node("path", { class: "smoothed", d: line(smoothed) }), this.cursor);
    if (proposed != null) this.svg.append(node("path", { class: "proposed", d: `M${x(proposed)} 0V${HEIGHT}` }));
    const words = known.length ? `from ${least.toFixed(1)} to ${most.toFixed(1)} ${unit}` : "not measured";
    this.svg.setAttribute("aria-label", `Head circumference along the loop: ${words}${proposed == null ? "" : `, proposed frame ${proposed + 1}`}`);
    this.#mark(this.current.frame.index);
  }

  #mark(index) {
    this.position.value = index;
    this.at.textContent = `${index + 1} / ${this.last + 1}`;
    this.position.setAttribute("aria-valuetext", `frame ${index + 1} of ${this.last + 1}`);
    if (this.track) this.cursor.setAttribute("d", `M${(index / this.last) * WIDTH} 0V${HEIGHT}`);
  }

  // While it plays, the network's ellipses are shown; when it stops, the frame is opened.
  async #start() {
    this.#playing = {};
    const playing = this.#playing;
    this.play.textContent = "❚❚";
    this.play.setAttribute("aria-label", "Stop");
    const { id } = this;
    for (let index = this.current.frame.index; this.#playing === playing; index = index === this.last ? 0 : index + 1) {
      const due = performance.now() + 1000 / (this.current.file.frame_rate_hz ?? USUAL_RATE_HZ);
      const bitmap = await this.#picture(id, index).catch(() => null);
      if (this.#playing !== playing) return;
      if (bitmap) this.viewer.show(bitmap);
      this.viewer.setEllipse((this.showsModel() && this.track?.ellipses[index]) || null, null);
      this.#mark(index);
      await new Promise((resolve) => setTimeout(resolve, Math.max(due - performance.now(), 0)));
    }
  }

  #stop(opens = true) {
    if (!this.#playing) return;
    this.#playing = null;
    this.play.textContent = "▶";
    this.play.setAttribute("aria-label", "Play");
    if (opens) this.#go(Number(this.position.value));
  }

  #picture(id, index) {
    if (!this.#pictures.has(index)) this.#pictures.set(index, picture(`${frameOf({ id, index })}/picture`));
    return this.#pictures.get(index);
  }
}
