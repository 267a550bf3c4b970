// The frame with the ellipse on it: zoom, pan, brightness, and handles to correct the ellipse.

import { alongAxis, axes, fromKonva, toKonva } from "./ellipse.js";

const { Konva } = window;
const COARSE = matchMedia("(pointer: coarse)").matches;
const MODEL = "#ffc400";
const PERSON = "#3ddbc0";
const RULER = "#7db8ff";
const SMALLEST_PX = 4;

export class Viewer extends EventTarget {
  constructor(container) {
    super();
    this.container = container;
    this.tool = null;
    this.stage = new Konva.Stage({ container, width: 1, height: 1 });
    this.picture = new Konva.Layer({ listening: false });
    this.drawing = new Konva.Layer();
    this.stage.add(this.picture, this.drawing);
    this.image = new Konva.Image({ x: -0.5, y: -0.5 }); // pixel centres are at integers
    this.onPicture = new Konva.Group();
    this.onPicture.add(this.image);
    this.picture.add(this.onPicture);
    this.#makeEllipse();
    this.#makeRuler();
    this.#listen();
    new ResizeObserver(() => this.#resize()).observe(container);
  }

  show(bitmap) {
    const { width, height } = this.image.size();
    this.image.setAttrs({ image: bitmap, width: bitmap.width, height: bitmap.height });
    this.ruler.visible(false);
    if (bitmap.width !== width || bitmap.height !== height) this.fit();
    this.stage.batchDraw();
  }

  clear() {
    this.image.setAttrs({ image: undefined, width: 0, height: 0 });
    this.ruler.visible(false);
    this.setEllipse(null, null);
  }

  // The ellipse to correct, and the model's where it differs.
  setEllipse(ellipse, model, byPerson = false) {
    this.current = ellipse;
    for (const node of [this.ellipse, this.long, this.short, this.centre]) node.visible(Boolean(ellipse));
    this.transformer.nodes(ellipse ? [this.ellipse] : []);
    if (ellipse) this.ellipse.setAttrs({ ...toKonva(ellipse), stroke: byPerson ? PERSON : MODEL });
    this.model.visible(Boolean(model));
    if (model) this.model.setAttrs(toKonva(model));
    this.#follow();
  }

  setTool(tool) {
    this.tool = tool;
    this.container.style.cursor = tool ? "crosshair" : "grab";
    this.transformer.listening(!tool);
    this.ellipse.listening(!tool);
    this.centre.listening(!tool);
  }

  setLook(brightness, contrast) {
    this.picture.getNativeCanvasElement().style.filter = `brightness(${brightness}%) contrast(${contrast}%)`;
  }

  hideDrawing(hidden) {
    this.drawing.visible(!hidden);
  }

  fit() {
    const { width, height } = this.image.size();
    if (!width) return;
    const scale = Math.min(this.stage.width() / width, this.stage.height() / height);
    this.#look(scale, (this.stage.width() - scale * (width - 1)) / 2, (this.stage.height() - scale * (height - 1)) / 2);
  }

  zoom(factor, at = { x: this.stage.width() / 2, y: this.stage.height() / 2 }) {
    const old = this.onPicture.scaleX();
    const scale = Math.min(Math.max(old * factor, 0.05), 40);
    const [x, y] = [this.onPicture.x(), this.onPicture.y()];
    this.#look(scale, at.x - ((at.x - x) * scale) / old, at.y - ((at.y - y) * scale) / old);
  }

  pan(dx, dy) {
    this.#look(this.onPicture.scaleX(), this.onPicture.x() + dx, this.onPicture.y() + dy);
  }

  centreOfFrame() {
    const { width, height } = this.image.size();
    return { x: (width - 1) / 2, y: (height - 1) / 2, width, height };
  }

  #makeEllipse() {
    this.onDrawing = new Konva.Group();
    const line = { strokeScaleEnabled: false, listening: false, visible: false };
    this.model = new Konva.Ellipse({ ...line, radiusX: 1, radiusY: 1, stroke: MODEL, strokeWidth: 1.2, dash: [5, 5] });
    this.long = new Konva.Line({ ...line, strokeWidth: 1, opacity: 0.75, dash: [2, 4] });
    this.short = this.long.clone();
    this.ellipse = new Konva.Ellipse({
      radiusX: 1,
      radiusY: 1,
      strokeWidth: 2,
      strokeScaleEnabled: false,
      hitStrokeWidth: COARSE ? 34 : 18,
      draggable: true,
      visible: false,
    });
    this.onDrawing.add(this.model, this.long, this.short, this.ellipse);
    this.centre = new Konva.Circle({ radius: COARSE ? 9 : 6, strokeWidth: 1.5, fill: "#0008", draggable: true, visible: false });
    this.transformer = new Konva.Transformer({
      enabledAnchors: ["middle-left", "middle-right", "top-center", "bottom-center"],
      rotateAnchorOffset: 30,
      anchorSize: COARSE ? 18 : 11,
      anchorCornerRadius: 9,
      anchorFill: "#0d1116",
      anchorStroke: "#ffffff",
      borderStroke: "#ffffff",
      borderDash: [2, 5],
      borderStrokeWidth: 0.6,
      ignoreStroke: true,
      flipEnabled: false,
      boundBoxFunc: (old, box) => (Math.min(Math.abs(box.width), Math.abs(box.height)) < SMALLEST_PX ? old : box),
    });
    this.drawing.add(this.onDrawing, this.centre, this.transformer);
    this.ellipse.on("transform dragmove", () => this.#changed("changed"));
    this.ellipse.on("transformend dragend", () => this.#changed("committed"));
    this.centre.on("dragmove", () => {
      this.ellipse.position(this.onDrawing.getAbsoluteTransform().copy().invert().point(this.centre.position()));
      this.#changed("changed");
    });
    this.centre.on("dragend", () => this.#changed("committed"));
  }

  #makeRuler() {
    this.ruler = new Konva.Line({ points: [0, 0, 0, 0], stroke: RULER, strokeWidth: 2, strokeScaleEnabled: false, visible: false, listening: false });
    this.onDrawing.add(this.ruler);
  }

  #changed(kind) {
    this.current = fromKonva(this.ellipse);
    this.ellipse.stroke(PERSON);
    this.#follow(kind === "committed");
    this.dispatchEvent(new CustomEvent(kind, { detail: this.current }));
  }

  #follow(settled = true) {
    if (this.current) {
      const { long, short } = axes(this.current);
      this.long.setAttrs({ points: long, stroke: this.ellipse.stroke() });
      this.short.setAttrs({ points: short, stroke: this.ellipse.stroke() });
      const { center_x: x, center_y: y } = this.current;
      this.centre.setAttrs({ ...this.onDrawing.getAbsoluteTransform().point({ x, y }), stroke: this.ellipse.stroke() });
      if (settled) this.ellipse.setAttrs({ radiusX: this.ellipse.radiusX() * this.ellipse.scaleX(), radiusY: this.ellipse.radiusY() * this.ellipse.scaleY(), scaleX: 1, scaleY: 1 });
      if (settled) this.transformer.forceUpdate();
    }
    this.drawing.batchDraw();
  }

  #look(scale, x, y) {
    for (const group of [this.onPicture, this.onDrawing]) group.setAttrs({ x, y, scaleX: scale, scaleY: scale });
    this.#follow();
    this.stage.batchDraw();
  }

  #resize() {
    const { clientWidth, clientHeight } = this.container;
    if (!clientWidth || !clientHeight) return;
    this.stage.size({ width: clientWidth, height: clientHeight });
    this.fit();
  }

  #listen() {
    this.container.addEventListener("wheel", (event) => {
      event.preventDefault();
      const { left, top } = this.container.getBoundingClientRect();
      this.zoom(Math.exp(-event.deltaY / 500), { x: event.clientX - left, y: event.clientY - top });
    }, { passive: false });
    let start = null;
    this.stage.on("pointerdown", (event) => {
      if (event.target !== this.stage) return;
      start = { ...this.stage.getPointerPosition(), pan: this.onPicture.position(), pixel: this.#pixel() };
    });
    addEventListener("pointermove", (event) => {
      if (!start) return;
      this.stage.setPointersPositions(event);
      const now = this.stage.getPointerPosition();
      if (!this.tool) this.#look(this.onPicture.scaleX(), start.pan.x + now.x - start.x, start.pan.y + now.y - start.y);
      else this.#stretch(start.pixel, this.#pixel(), false);
    });
    addEventListener("pointerup", () => {
      if (start && this.tool) this.#stretch(start.pixel, this.#pixel(), true);
      start = null;
    });
  }

  #stretch(from, to, done) {
    if (Math.hypot(to.x - from.x, to.y - from.y) < SMALLEST_PX) return;
    const points = [from.x, from.y, to.x, to.y];
    if (this.tool === "draw") {
      this.setEllipse(alongAxis(...points), this.model.visible() ? fromKonva(this.model) : null, true);
      this.dispatchEvent(new CustomEvent(done ? "committed" : "changed", { detail: this.current }));
    } else {
      this.ruler.setAttrs({ points, visible: true });
      this.dispatchEvent(new CustomEvent("line", { detail: { dx: to.x - from.x, dy: to.y - from.y, tool: this.tool, done } }));
      this.drawing.batchDraw();
    }
    if (done) this.dispatchEvent(new CustomEvent("tool-done"));
  }

  #pixel() {
    return this.onPicture.getAbsoluteTransform().copy().invert().point(this.stage.getPointerPosition());
  }
}
