// What leaves the page: the labels as files in the folder, and the report of a frame.

import { blob, frameOf, send } from "./api.js";
import { tell } from "./dialogs.js";

const REPORT = "Of this frame: the picture, the numbers and the growth chart on one page; or, of a DICOM file, structured reports for its study.";
const SUFFIXES = { pdf: "pdf", png: "png", sr: "zip" };

export async function saveLabels() {
  try {
    const saved = await send("POST", "labels");
    const counts = `${saved.ellipses} ellipses, ${saved.categories} frames with categories and ${saved.skipped} skipped frames`;
    await tell("Saved", [`${counts} are in ${saved.folder}, in the folder of frames.`, ...saved.problems]);
  } catch (error) {
    await tell("Not saved", [error.message]);
  }
}

export async function downloadReport(frame, name) {
  const kind = await tell("Report", [REPORT], [["", "Cancel"], ["sr", "DICOM SR"], ["png", "PNG"], ["pdf", "PDF"]]);
  if (!kind) return;
  const href = URL.createObjectURL(await blob(`${frameOf(frame)}/report/${kind}`));
  const stem = name.split("/").at(-1).replace(/\.[^.]*$/, "");
  Object.assign(document.createElement("a"), { href, download: `${stem}_report.${SUFFIXES[kind]}` }).click();
  URL.revokeObjectURL(href);
}
