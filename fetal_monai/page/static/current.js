// The frame that is open: what the model and the person say of it.

import { frameOf, get, picture, send } from "./api.js";

const EMPTY = { ellipse: null, decision: "", reason: "", categories: [], scale: { pixel_spacing_mm: null, known_age_days: null }, person: "" };
const FIELDS = Object.keys(EMPTY);
const MOST_UNDONE = 200;

const annotationOf = (stored) => Object.fromEntries(FIELDS.map((name) => [name, structuredClone(stored[name])]));

export class Current extends EventTarget {
  frame = null; // { id, index }
  #undo = [];
  #opening = 0;
  #measuring = null;
  #next = null;
  #ahead = new Map(); // requests of the frames that are likely to be opened next

  constructor(autosave, person) {
    super();
    this.autosave = autosave;
    this.person = person;
    autosave.addEventListener("saved", ({ detail }) => this.#isOpen(detail.frame) && this.#adoptSaved(detail.saved));
    autosave.addEventListener("refused", async ({ detail }) => {
      if (!this.#isOpen(detail.frame)) return;
      await this.open(this.frame); // what the server keeps
      this.#tell("notice", detail.error.message);
    });
  }

  async open(frame, file = null) {
    const turn = ++this.#opening;
    Object.assign(this, { frame, file, problem: "", model: null, drawn: null, stored: null, annotation: annotationOf(EMPTY) });
    this.#tell("opening");
    try {
      const parts = this.#requests(frame, file);
      const [opened, state, bitmap] = await Promise.all([parts.file, parts.state, parts.picture]);
      if (turn !== this.#opening) return;
      const annotation = annotationOf(state.annotation);
      Object.assign(this, { file: opened, stored: state.annotation, shape: [state.height, state.width], bitmap, drawn: state.drawn, annotation });
      const draft = this.autosave.draft(frame, this.stored.revision);
      if (draft) this.#change(draft, false);
      this.#tell("opened");
      const model = await parts.model;
      if (turn !== this.#opening) return;
      this.model = model;
      this.#tell("measured");
    } catch (error) {
      if (turn !== this.#opening) return;
      this.problem = error.message;
      this.#tell("opened");
    } finally {
      this.#ahead.delete(`${frame.id}:${frame.index}`);
    }
  }

  // Ask for a frame before it is opened.
  fetchAhead(frame) {
    const key = `${frame.id}:${frame.index}`;
    if (this.#ahead.has(key)) return;
    this.#ahead.clear();
    const parts = this.#requests(frame);
    for (const part of Object.values(parts)) part.catch(() => {}); // they are awaited when it is opened
    this.#ahead.set(key, parts);
  }

  forgetAhead() {
    this.#ahead.clear();
  }

  // The ellipse that counts: the person's, else the model's.
  get ellipse() {
    return this.annotation.ellipse ?? this.model?.ellipse ?? null;
  }

  get numbers() {
    return this.annotation.ellipse ? this.drawn : this.model;
  }

  get isCorrected() {
    const [mine, models] = [this.annotation.ellipse, this.model?.ellipse];
    return Boolean(mine && !(models && Object.keys(mine).every((name) => Math.abs(mine[name] - models[name]) < 1e-9)));
  }

  // While the ellipse is dragged: measure, but keep nothing yet.
  drag(ellipse) {
    this.#next = ellipse;
    this.#measuring ??= this.#measure().finally(() => (this.#measuring = null));
    return this.#measuring;
  }

  async draw(ellipse) {
    this.#change({ ...this.annotation, ellipse, decision: "", reason: "" });
    this.#tell("decided");
    await this.drag(ellipse);
  }

  accept() {
    if (!this.ellipse) return this.#tell("notice", this.model ? "There is no ellipse to accept: draw one (D)." : "Still measuring.");
    this.#change({ ...this.annotation, ellipse: this.ellipse, decision: "accepted", reason: "" });
    this.drag(this.ellipse);
    this.#tell("decided");
    return true;
  }

  skip(reason) {
    this.#change({ ...this.annotation, decision: "skipped", reason });
    this.#tell("decided");
  }

  reset() {
    this.drawn = null;
    this.#change({ ...this.annotation, ellipse: null, decision: "", reason: "" });
    this.#tell("measured");
  }

  toggle(category) {
    const { categories } = this.annotation;
    let chosen = categories.includes(category) ? categories.filter((each) => each !== category) : [...categories, category];
    if (category === "background") chosen = chosen.filter((each) => each === "background");
    else chosen = chosen.filter((each) => each !== "background");
    this.#change({ ...this.annotation, categories: chosen });
    this.#tell("decided");
  }

  async rescale(scale) {
    this.#change({ ...this.annotation, scale: { ...this.annotation.scale, ...scale } });
    await this.#measureAgain();
  }

  async undo() {
    const last = this.#undo.pop();
    if (!last) return this.#tell("notice", "There is nothing to undo.");
    if (!this.#isOpen(last.frame)) await this.open(last.frame);
    this.drawn = null;
    this.#change(last.annotation, false);
    await this.#measureAgain();
    this.#tell("undone");
  }

  #isOpen(frame) {
    return frame.id === this.frame?.id && frame.index === this.frame?.index;
  }

  #requests(frame, file = null) {
    const ahead = this.#ahead.get(`${frame.id}:${frame.index}`);
    if (ahead) return ahead;
    const of = frameOf(frame);
    const parts = { file: file ?? get(`files/${frame.id}`), state: get(of), picture: picture(`${of}/picture`), model: get(`${of}/model`) };
    parts.model.catch(() => {}); // awaited later
    return parts;
  }

  #change(annotation, undoable = true) {
    if (!this.stored) return;
    if (undoable) this.#undo = [...this.#undo.slice(-MOST_UNDONE), { frame: this.frame, annotation: this.annotation }];
    this.annotation = { ...annotation, person: this.person() };
    this.autosave.keep(this.frame, this.annotation, this.stored.revision);
  }

  #adoptSaved(saved) {
    this.stored = saved;
    this.#tell("saved");
  }

  async #measureAgain() {
    const frame = this.frame;
    this.model = null;
    if (this.annotation.ellipse) await this.drag(this.annotation.ellipse);
    await this.autosave.settled(); // the server measures at the scale that it keeps
    const model = await get(`${frameOf(frame)}/model`);
    if (!this.#isOpen(frame)) return;
    this.model = model;
    this.#tell("measured");
    this.#tell("rescaled");
  }

  async #measure() {
    while (this.#next) {
      const { frame } = this;
      const ellipse = this.#next;
      this.#next = null;
      try {
        const drawn = await send("POST", `${frameOf(frame)}/measure`, { ellipse, scale: this.annotation.scale });
        if (!this.#isOpen(frame)) return;
        this.drawn = drawn;
        this.#tell("numbers");
      } catch (error) {
        this.#tell("notice", error.message);
      }
    }
  }

  #tell(kind, detail) {
    this.dispatchEvent(new CustomEvent(kind, { detail }));
  }
}
