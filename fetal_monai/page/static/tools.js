// The tools of the viewer: drawing, the ruler and the calibration.

import { ask } from "./dialogs.js";

export class Tools {
  active = null;
  #hidden = false;

  constructor(viewer, current, reading) {
    Object.assign(this, { viewer, current, reading });
    this.buttons = [...document.querySelectorAll("[data-tool]")];
    for (const button of this.buttons) button.addEventListener("click", () => (button.dataset.tool === "calibrate" ? this.calibrate() : this.toggle(button.dataset.tool)));
    viewer.addEventListener("line", ({ detail }) => this.#line(detail));
    viewer.addEventListener("tool-done", () => this.active === "draw" && this.end());
    current.addEventListener("opened", () => (this.reading.textContent = ""));
  }

  toggle(tool) {
    this.#choose(this.active === tool ? null : tool);
  }

  end() {
    this.#choose(null);
  }

  // Twice: by numbers instead of a line.
  async calibrate() {
    if (this.active !== "calibrate") return this.#choose("calibrate");
    this.end();
    const text = await ask("Pixel spacing", "How many mm is one pixel?", { numeric: true });
    if (text) this.#use(Number(text.replace(",", ".")), 1);
  }

  hide() {
    this.#hidden = !this.#hidden;
    this.viewer.hideDrawing(this.#hidden);
  }

  #choose(tool) {
    this.active = tool;
    this.viewer.setTool(tool);
    for (const button of this.buttons) button.ariaPressed = String(button.dataset.tool === tool);
    const hints = { draw: "Drag from one end of the head's long axis to the other", ruler: "Drag a line to measure it", calibrate: "Drag along a scale of known length" };
    this.reading.textContent = hints[tool] ?? "";
  }

  async #line({ dx, dy, tool, done }) {
    const pixels = Math.hypot(dx, dy);
    const spacing = this.current.annotation.scale.pixel_spacing_mm ?? this.#stated();
    const mm = spacing ? `${Math.hypot(dy * spacing[0], dx * spacing[1]).toFixed(1)} mm` : "no scale";
    this.reading.textContent = tool === "ruler" ? `${mm} · ${pixels.toFixed(1)} px` : `${pixels.toFixed(1)} px`;
    if (tool !== "calibrate" || !done) return;
    this.end();
    const text = await ask("Calibrate", `How long is this line of ${pixels.toFixed(1)} px, in mm?`, { numeric: true });
    if (text) this.#use(Number(text.replace(",", ".")), pixels);
  }

  #stated() {
    const row = this.current.numbers?.row;
    return row?.pixel_spacing_row_mm ? [row.pixel_spacing_row_mm, row.pixel_spacing_column_mm] : this.current.file?.scale.pixel_spacing_mm;
  }

  #use(mm, pixels) {
    const spacing = mm / pixels;
    if (!(spacing >= 0.01 && spacing <= 2)) {
      this.reading.textContent = `A pixel of ${Number.isNaN(spacing) ? "?" : spacing.toPrecision(3)} mm cannot be: expected 0.01 to 2 mm`;
      return;
    }
    this.reading.textContent = `${spacing.toPrecision(4)} mm a pixel, on this frame`;
    this.current.rescale({ pixel_spacing_mm: [spacing, spacing] });
  }
}
