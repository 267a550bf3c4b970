// Training on the accepted ellipses, its curve, and the choice of the network that measures.

import { get, send } from "./api.js";

const SVG = "http://www.w3.org/2000/svg";
const [WIDTH, HEIGHT] = [300, 110];
const EVERY_MS = 1000;

const at = (id) => document.getElementById(id);

export class Train extends EventTarget {
  #shown = false;

  constructor() {
    super();
    at("train-curve").setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT}`);
    at("train").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#ask("POST", "training", { epochs: Number(at("epochs").value), size: at("size").value });
    });
    at("train-stop").addEventListener("click", () => this.#ask("DELETE", "training"));
    at("networks").addEventListener("change", async ({ target }) => {
      at("network-state").textContent = "Loading the network…";
      const isLoaded = await this.#ask("PUT", "network", { number: Number(target.value) });
      at("network-state").textContent = isLoaded ? `Measures with ${target.closest("label").textContent}.` : "";
      if (isLoaded) this.dispatchEvent(new Event("network"));
    });
  }

  show(shown) {
    const begins = shown && !this.#shown;
    this.#shown = shown;
    if (begins) this.#follow();
  }

  async #follow() {
    while (this.#shown) {
      await get("training").then((state) => this.#draw(state), () => {});
      await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
    }
  }

  async #ask(method, path, json) {
    try {
      this.#draw(await send(method, path, json));
      return true;
    } catch (error) {
      this.dispatchEvent(new CustomEvent("notice", { detail: error.message }));
      return false;
    }
  }

  #draw({ bundle, sizes, accepted, networks, last }) {
    at("train-labels").textContent = `${accepted} accepted ellipses train ${bundle}, split by exam.`;
    const size = at("size");
    if (size.options.length === 1) size.append(...sizes.map((name) => new Option(name.replace(/^size_|\.json$/g, ""), name)));
    const runs = last?.state === "running";
    at("train-start").disabled = runs;
    at("train-stop").hidden = !runs;
    at("train-state").textContent = last ? describe(last) : "";
    at("train-command").textContent = last?.command ?? "";
    at("train-curve").toggleAttribute("hidden", !last);
    this.#drawCurves(last?.curves ?? {}, last?.epochs ?? 1);
    this.#drawNetworks(networks);
  }

  #drawCurves({ train_loss: loss = [], val_mean_dice: dice = [] }, epochs) {
    const x = (epoch) => 4 + ((epoch - 1) / Math.max(epochs - 1, 1)) * (WIDTH - 8);
    const most = Math.max(...loss.map(([, value]) => value), 1e-6);
    const line = (points, largest) => points.map(([epoch, value], place) => `${place ? "L" : "M"}${x(epoch).toFixed(1)} ${(HEIGHT - 4 - (value / largest) * (HEIGHT - 8)).toFixed(1)}`).join("");
    const paths = [["grid", `M0 ${HEIGHT - 4}H${WIDTH}`], ["loss", line(loss, most)], ["dice", line(dice, 1)]];
    at("train-curve").replaceChildren(
      ...paths.map(([name, d]) => {
        const path = document.createElementNS(SVG, "path");
        path.setAttribute("class", name);
        path.setAttribute("d", d);
        return path;
      }),
    );
    const words = [["loss", loss], ["Dice of the validation", dice]].filter(([, points]) => points.length).map(([name, points]) => `${name} ${points.at(-1)[1].toFixed(3)}`);
    at("train-legend").textContent = words.join(" · ");
    at("train-curve").setAttribute("aria-label", `Training curve, ${loss.length} epochs: ${words.join(", ")}`);
  }

  #drawNetworks(networks) {
    const place = at("networks");
    const key = JSON.stringify(networks);
    if (place.dataset.key === key) return; // keeps the focus
    place.dataset.key = key;
    place.replaceChildren(
      ...networks.map(({ number, used }) => {
        const label = document.createElement("label");
        const radio = Object.assign(document.createElement("input"), { type: "radio", name: "network", value: number, checked: used });
        label.append(radio, number ? `training ${number}` : "the bundle's own weights");
        return label;
      }),
    );
  }
}

function describe({ number, state, epochs, frames, left_out: leftOut, curves, end_of_log: log }) {
  const done = curves.train_loss?.length ?? 0;
  const words = { running: `runs: epoch ${done} of ${epochs}`, finished: `finished after ${done} epochs`, failed: "stopped" }[state];
  return [`Training ${number}, ${frames} frames, ${words}.`, ...leftOut.map((each) => `Left out: ${each}`), ...log].join("\n");
}
