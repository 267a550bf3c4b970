// The page: puts the parts together.

import { get } from "./api.js";
import { Autosave } from "./autosave.js";
import { Chart } from "./chart.js";
import { Current } from "./current.js";
import { ask, tell } from "./dialogs.js";
import { Drops } from "./drops.js";
import { Keys } from "./keys.js";
import { Loop } from "./loop.js";
import { inTheMiddle, moved, stretched, turned } from "./nudge.js";
import { seen, showNumbers } from "./numbers.js";
import { downloadReport, saveLabels } from "./output.js";
import { keepTheme, toggleTheme } from "./theme.js";
import { Tools } from "./tools.js";
import { Train } from "./train.js";
import { Viewer } from "./viewer.js";
import { WorkList, startOf } from "./work_list.js";

const at = (id) => document.getElementById(id);
const SKIP_REASONS = ["no head", "head cut off", "not the standard plane", "poor image", "text or calipers on the head"];

const autosave = new Autosave();
const person = at("person");
person.value = localStorage.getItem("person") ?? "";
person.addEventListener("change", () => localStorage.setItem("person", person.value.trim()));
const current = new Current(autosave, () => person.value.trim());
const viewer = new Viewer(at("stage"));
const list = new WorkList(at("rows"), at("filter"), at("show"), at("progress"), at("progress-text"));
const tools = new Tools(viewer, current, at("reading"));
const train = new Train();
let view = "measure";
const loop = new Loop(at("loop"), current, viewer, () => view !== "label");
let chart;

function notice(text, kind = "") {
  const place = at("notice");
  place.textContent = text;
  place.className = `notice ${kind}`;
  place.hidden = !text;
}

// In the view to label, the model's ellipse would lead the hand: it is not shown there.
const shownEllipse = () => (view === "label" ? current.annotation.ellipse : current.ellipse);

function showEllipse() {
  const model = view !== "label" && current.isCorrected ? current.model?.ellipse : null;
  viewer.setEllipse(shownEllipse(), model, current.isCorrected);
}

function showPanel() {
  const frame = seen(current, view !== "label");
  showNumbers(at("numbers"), frame);
  chart.show(frame.numbers?.row);
  for (const button of at("categories").querySelectorAll("button")) button.ariaPressed = String(current.annotation.categories.includes(button.value));
  for (const id of ["accept", "reset", "skip", "report"]) at(id).disabled = Boolean(current.problem) || !current.stored;
}

async function open(entry) {
  notice("");
  await current.open(startOf(entry));
}

current.addEventListener("opening", () => list.select(current.frame.id));
current.addEventListener("opened", () => {
  const entry = list.find(current.frame.id);
  if (current.problem) {
    list.failed(entry.id, current.problem);
    viewer.clear();
    notice(current.problem, "bad");
  } else {
    viewer.show(current.bitmap);
    at("stage").setAttribute("aria-label", `${entry.name}, ${current.shape[1]} by ${current.shape[0]} pixels`);
    const days = current.annotation.scale.known_age_days ?? current.file.scale.known_age_days;
    at("age").value = days ? `${Math.floor(days / 7)}+${Math.round(days % 7)}` : "";
    const next = list.at(1);
    if (next && next.id !== entry.id) current.fetchAhead(startOf(next));
  }
  showEllipse();
  showPanel();
});
for (const event of ["measured", "undone"]) {
  current.addEventListener(event, () => {
    showEllipse();
    showPanel();
  });
}
for (const event of ["opening", "numbers", "decided", "saved"]) current.addEventListener(event, showPanel);
for (const event of ["decided", "measured", "undone"]) {
  current.addEventListener(event, () => current.stored && list.note(current.frame, current.annotation));
}
current.addEventListener("notice", ({ detail }) => notice(detail, "bad"));
viewer.addEventListener("changed", ({ detail }) => current.drag(detail));
viewer.addEventListener("committed", ({ detail }) => current.draw(detail));
list.addEventListener("chosen", ({ detail }) => open(detail));
train.addEventListener("network", () => {
  current.forgetAhead();
  if (current.frame) current.open(current.frame);
});
train.addEventListener("notice", ({ detail }) => notice(detail, "bad"));
autosave.addEventListener("state", ({ detail: { state, reason } }) => {
  const words = { saving: "Saving…", "saved-all": "All saved", offline: `Not saved yet: kept in this browser, trying again. ${reason}` };
  at("saved").textContent = words[state];
  at("saved").title = words[state];
  at("saved").className = `saved ${state}`;
});
addEventListener("beforeunload", (event) => autosave.isIdle || event.preventDefault());

function setView(name) {
  view = name;
  train.show(name === "train");
  document.body.dataset.view = name;
  for (const tab of document.querySelectorAll("[role=tab]")) tab.ariaSelected = String(tab.dataset.view === name);
  if (current.frame) {
    showEllipse();
    showPanel();
  }
}

function accept() {
  if (view === "label" && !current.annotation.ellipse) return notice("Draw the ellipse first (D), or go on with J.", "bad");
  if (current.accept()) list.step(1);
}

async function skip() {
  if (!current.stored) return;
  const reason = await ask("Skip this frame", "Why can it not be labelled?", { suggestions: SKIP_REASONS });
  if (!reason) return;
  current.skip(reason);
  list.step(1);
}

function nudge(change) {
  return ({ shiftKey }) => {
    const ellipse = shownEllipse();
    if (!ellipse || !current.stored) return;
    const corrected = change(ellipse, shiftKey ? 10 : 1);
    viewer.setEllipse(corrected, view === "label" ? null : current.model?.ellipse, true);
    current.draw(corrected);
  };
}

function draw() {
  if (current.stored && !shownEllipse()) {
    const ellipse = inTheMiddle(viewer.centreOfFrame());
    viewer.setEllipse(ellipse, null, true);
    current.draw(ellipse);
    tools.end();
  }
}

async function save() {
  await autosave.settled();
  await saveLabels();
}

async function report() {
  if (!current.stored) return;
  await autosave.settled();
  await downloadReport(current.frame, current.file.name).catch((error) => notice(error.message, "bad"));
}

function makeCategories(names) {
  names.forEach((name, place) => {
    const button = document.createElement("button");
    button.value = name;
    button.ariaPressed = "false";
    const key = document.createElement("kbd");
    key.textContent = String(place + 1);
    button.append(name, key);
    button.addEventListener("click", () => current.toggle(name));
    at("categories").append(button);
  });
}

function setAge() {
  const [weeks, days = 0] = at("age").value.split(/[w+ ]+/).filter(Boolean).map(Number);
  const age = at("age").value.trim() ? 7 * weeks + days : null;
  if (age !== null && !(age > 0 && age <= 320 && days < 7)) return notice("Write the age as weeks+days, such as 24+3.", "bad");
  notice("");
  current.rescale({ known_age_days: age });
}

function bindKeys(categories) {
  const keys = new Keys();
  keys.add("Files", [
    [["j", "PageDown"], "next file", () => list.step(1)],
    [["k", "PageUp"], "file before", () => list.step(-1)],
    [["Enter"], "accept, and go on", accept],
    [["s"], "skip with a reason", skip],
    [["r"], "back to the model's ellipse", () => current.stored && current.reset()],
    [["w"], "save the labels as files", save],
    [["e"], "report of the frame", report],
    [["Ctrl+z", "u"], "undo", () => current.undo()],
  ]);
  keys.add("Ellipse", [
    [["d"], "draw along the long axis; twice: put one in the middle", () => (tools.active === "draw" ? draw() : tools.toggle("draw"))],
    [["ArrowLeft", "Shift+ArrowLeft"], "move left; with Shift, all ten times as far", nudge((each, step) => moved(each, -step, 0))],
    [["ArrowRight", "Shift+ArrowRight"], "move right", nudge((each, step) => moved(each, step, 0))],
    [["ArrowUp", "Shift+ArrowUp"], "move up", nudge((each, step) => moved(each, 0, -step))],
    [["ArrowDown", "Shift+ArrowDown"], "move down", nudge((each, step) => moved(each, 0, step))],
    [["Alt+ArrowRight", "Alt+Shift+ArrowRight"], "long axis longer", nudge((each, step) => stretched(each, step, 0))],
    [["Alt+ArrowLeft", "Alt+Shift+ArrowLeft"], "long axis shorter", nudge((each, step) => stretched(each, -step, 0))],
    [["Alt+ArrowUp", "Alt+Shift+ArrowUp"], "short axis longer", nudge((each, step) => stretched(each, 0, step))],
    [["Alt+ArrowDown", "Alt+Shift+ArrowDown"], "short axis shorter", nudge((each, step) => stretched(each, 0, -step))],
    [[",", "."], "turn by one degree", nudgeTurn],
  ]);
  keys.add("Categories", categories.map((name, place) => [[String(place + 1)], name, () => current.toggle(name)]));
  keys.add("Loop", [
    [[" "], "play or stop", () => loop.toggle()],
    [["]", "["], "next frame, frame before", ({ key }) => loop.step(key === "]" ? 1 : -1)],
    [["p"], "the proposed frame", () => loop.toProposed()],
  ]);
  keys.add("View", [
    [["m"], "measure", () => setView("measure")],
    [["b"], "label, without the model's ellipse", () => setView("label")],
    [["n"], "train", () => setView("train")],
    [["l"], "ruler", () => tools.toggle("ruler")],
    [["c"], "calibrate", () => tools.calibrate()],
    [["+", "="], "zoom in", () => viewer.zoom(1.25)],
    [["-"], "zoom out", () => viewer.zoom(0.8)],
    [["0"], "fit", () => viewer.fit()],
    [["Ctrl+ArrowLeft", "Ctrl+ArrowRight", "Ctrl+ArrowUp", "Ctrl+ArrowDown"], "move the picture", pan],
    [["h"], "hide or show the drawing", () => tools.hide()],
    [["t"], "light or dark", toggleTheme],
    [["?"], "this list", () => keys.explain()],
    [["Escape"], "put the tool away", () => tools.end()],
  ]);
  keys.listen();
  at("help").addEventListener("click", () => keys.explain());
}

const PAN_PX = 40;

function pan({ key }) {
  const [dx, dy] = { ArrowLeft: [1, 0], ArrowRight: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[key];
  viewer.pan(PAN_PX * dx, PAN_PX * dy);
}

const nudgeTurn = (event) => nudge((each) => turned(each, event.key === "." ? 1 : -1))(event);

function bindControls() {
  for (const tab of document.querySelectorAll("[role=tab]")) tab.addEventListener("click", () => setView(tab.dataset.view));
  const press = { accept, save, report, skip, reset: () => current.reset(), undo: () => current.undo(), previous: () => list.step(-1), next: () => list.step(1), theme: toggleTheme };
  press["zoom-in"] = () => viewer.zoom(1.25);
  press["zoom-out"] = () => viewer.zoom(0.8);
  press["zoom-fit"] = () => viewer.fit();
  for (const [id, action] of Object.entries(press)) at(id).addEventListener("click", action);
  const look = () => viewer.setLook(at("brightness").value, at("contrast").value);
  for (const id of ["brightness", "contrast"]) at(id).addEventListener("input", look);
  at("age").addEventListener("change", setAge);
}

async function start() {
  keepTheme();
  try {
    const session = await get("session");
    at("folder").textContent = session.folder;
    autosave.folder = session.folder_id;
    document.title = `fetal_monai: ${session.folder}`;
    chart = new Chart(at("chart"), session.chart);
    makeCategories(session.categories);
    bindKeys(session.categories);
    bindControls();
    new Drops(list, open, notice);
    await list.load(true); // files may have been copied into the folder
    if (list.shown.length) await open(list.shown[0]);
    else notice("The folder is empty: drop frames, DICOM files or videos here.");
  } catch (error) {
    await tell("The page cannot be shown", [error.message]);
  }
}

start();
