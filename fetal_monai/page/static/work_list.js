// The list of files: only the rows in sight are in the page, so that thousands cost nothing.

import { blob, get, send } from "./api.js";

const ROW_PX = 54;
const SPARE_ROWS = 6;

const WORDS = { open: "", drawn: "draft", accepted: "accepted", skipped: "skipped", failed: "failed" };

export function statusOf(entry) {
  if (entry.problem) return "failed";
  const frames = Object.values(entry.frames);
  return ["accepted", "skipped"].find((decision) => frames.some((each) => each.decision === decision))
    ?? (frames.some((each) => each.drawn) ? "drawn" : "open");
}

const isLabelled = (entry) => Object.values(entry.frames).some((each) => each.categories.length);
const isDone = (entry) => ["accepted", "skipped"].includes(statusOf(entry)) || isLabelled(entry);

// The frame to open a file at: of a loop, the first that was annotated.
export const startOf = (entry) => ({ id: entry.id, index: Number(Object.keys(entry.frames)[0] ?? 0) });

export class WorkList extends EventTarget {
  entries = [];
  shown = [];
  selected = null;
  #thumbnails = new Map();

  constructor(rows, filter, show, progress, progressText) {
    super();
    Object.assign(this, { rows, filter, show, progress, progressText });
    this.space = document.createElement("div");
    this.space.className = "space";
    rows.append(this.space);
    rows.addEventListener("scroll", () => this.#draw());
    new ResizeObserver(() => this.#draw()).observe(rows);
    filter.addEventListener("input", () => this.#choose());
    show.addEventListener("change", () => this.#choose());
    rows.addEventListener("keydown", (event) => {
      const step = { ArrowDown: 1, ArrowUp: -1, PageDown: 8, PageUp: -8 }[event.key];
      if (step) {
        event.preventDefault();
        this.step(step);
      }
    });
  }

  async load(refresh = false) {
    this.entries = refresh ? await send("POST", "files") : await get("files");
    this.#choose();
  }

  find(id) {
    return this.entries.find((entry) => entry.id === id);
  }

  select(id) {
    this.selected = id;
    const place = this.shown.findIndex((entry) => entry.id === id);
    if (place >= 0) {
      const top = place * ROW_PX;
      if (top < this.rows.scrollTop) this.rows.scrollTop = top;
      else if (top + ROW_PX > this.rows.scrollTop + this.rows.clientHeight) this.rows.scrollTop = top + ROW_PX - this.rows.clientHeight;
    }
    this.#draw();
  }

  // The entry some places on; from a file that the filter hides, the first one.
  at(step) {
    const place = this.shown.findIndex((entry) => entry.id === this.selected);
    return this.shown[Math.min(Math.max(place + step, 0), this.shown.length - 1)];
  }

  step(step) {
    const entry = this.at(step);
    if (entry && entry.id !== this.selected) this.dispatchEvent(new CustomEvent("chosen", { detail: entry }));
  }

  note({ id, index }, { decision, ellipse, categories }) {
    const entry = this.find(id);
    if (entry) entry.frames[index] = { decision, drawn: Boolean(ellipse), categories };
    this.#draw();
  }

  failed(id, problem) {
    this.find(id).problem = problem;
    this.#draw();
  }

  #choose() {
    const wanted = this.filter.value.toLowerCase();
    const status = this.show.value;
    const fits = (entry) => status === "all" || (status === "open" ? !isDone(entry) : statusOf(entry) === status);
    this.shown = this.entries.filter((entry) => entry.name.toLowerCase().includes(wanted) && fits(entry));
    this.#draw();
  }

  #draw() {
    const first = Math.max(Math.floor(this.rows.scrollTop / ROW_PX) - SPARE_ROWS, 0);
    const last = Math.min(Math.ceil((this.rows.scrollTop + this.rows.clientHeight) / ROW_PX) + SPARE_ROWS, this.shown.length);
    this.space.style.height = `${this.shown.length * ROW_PX}px`;
    this.space.replaceChildren(...this.shown.slice(first, last).map((entry, place) => this.#row(entry, first + place)));
    if (this.selected) this.rows.setAttribute("aria-activedescendant", `row-${this.selected}`);
    const done = this.entries.filter(isDone).length;
    Object.assign(this.progress, { max: Math.max(this.entries.length, 1), value: done });
    this.progressText.textContent = `${done} of ${this.entries.length}`;
  }

  #row(entry, place) {
    const row = document.createElement("div");
    const status = statusOf(entry);
    row.className = `row ${status}`;
    row.id = `row-${entry.id}`;
    row.role = "option";
    row.ariaSelected = String(entry.id === this.selected);
    row.setAttribute("aria-setsize", this.shown.length);
    row.setAttribute("aria-posinset", place + 1);
    row.style.top = `${place * ROW_PX}px`;
    const image = document.createElement("img");
    image.alt = "";
    this.#thumbnail(entry, image);
    const words = document.createElement("div");
    const name = document.createElement("span");
    name.className = "name";
    name.textContent = entry.name; // as text: a name may look like markup
    name.title = entry.name;
    const what = document.createElement("span");
    what.className = "status";
    const categories = [...new Set(Object.values(entry.frames).flatMap((each) => each.categories))];
    what.textContent = [WORDS[status], ...categories].filter(Boolean).join(" · ") || (entry.video ? "loop" : "");
    words.append(name, what);
    row.append(image, words);
    row.addEventListener("click", () => this.dispatchEvent(new CustomEvent("chosen", { detail: entry })));
    return row;
  }

  async #thumbnail(entry, image) {
    if (!this.#thumbnails.has(entry.id)) {
      await new Promise((resolve) => setTimeout(resolve, 120)); // not of rows that are scrolled past
      if (!image.isConnected || this.#thumbnails.has(entry.id)) return;
      const address = blob(`files/${entry.id}/thumbnail`).then(URL.createObjectURL).catch(() => "");
      this.#thumbnails.set(entry.id, address);
    }
    const address = await this.#thumbnails.get(entry.id);
    if (address) image.src = address;
  }
}
