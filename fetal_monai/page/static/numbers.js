// The measurement in words and figures.

function element(name, text, className) {
  const made = document.createElement(name);
  if (text) made.textContent = text;
  if (className) made.className = className;
  return made;
}

const HEADINGS = {
  measured: ["Measured by the model", "model"],
  check: ["Check by eye", "bad"],
  unscaled: ["No scale: no millimetres", "bad"],
  failed: ["Not measured", "bad"],
};

const mm = (value) => (value == null ? "–" : value.toFixed(1));

// What is shown of a frame: where the model's ellipse would lead the hand, nothing of it.
export function seen({ annotation, stored, problem, model, drawn, isCorrected }, showsModel) {
  const shownModel = showsModel ? model : null;
  const numbers = annotation.ellipse ? drawn : shownModel;
  return { annotation, stored, problem, model: shownModel, numbers, isCorrected, showsModel };
}

function heading({ annotation, stored, problem, model, showsModel }) {
  if (problem) return ["Cannot be read", "bad"];
  if (annotation.decision === "accepted") {
    // Swedish is written as ISO 8601: no one mistakes the month for the day.
    const time = stored?.decision === "accepted" ? new Date(stored.time).toLocaleString("sv-SE", { dateStyle: "short", timeStyle: "short" }) : "";
    return [["Accepted", annotation.person && `by ${annotation.person}`, time].filter(Boolean).join(" "), "good"];
  }
  if (annotation.decision === "skipped") return [`Skipped: ${annotation.reason}`, "quiet"];
  if (annotation.ellipse) return ["Drawn by hand, not yet accepted", "person"];
  if (!showsModel) return ["No ellipse yet", "quiet"];
  if (!model) return ["Measuring…", "quiet"];
  return HEADINGS[model.row.status];
}

export function showNumbers(panel, frame) {
  const row = frame.numbers?.row ?? {};
  const [title, kind] = heading(frame);
  const values = element("div", "", "values");
  for (const [name, key, label] of [
    ["HC", "head_circumference_mm", "Head circumference"],
    ["BPD", "biparietal_diameter_outer_to_outer_mm", "Biparietal diameter"],
    ["OFD", "occipitofrontal_diameter_mm", "Occipitofrontal diameter"],
  ]) {
    const value = element("div", "", `value ${name}`);
    const abbreviation = element("abbr", name);
    abbreviation.title = label;
    const figure = element("output", mm(row[key]));
    figure.id = name.toLowerCase();
    value.append(abbreviation, figure, element("small", "mm"));
    values.append(value);
  }
  const ages = element("dl");
  const rows = [
    ["INTERGROWTH-21st", row.gestational_age_intergrowth],
    ["Hadlock 1984", row.gestational_age_hadlock],
    ["Centile at dating scan", row.head_circumference_centile?.toFixed(1)],
    ["Pixel", spacing(row)],
  ];
  if (frame.isCorrected && frame.model?.row.head_circumference_mm != null) {
    const difference = (row.head_circumference_mm ?? NaN) - frame.model.row.head_circumference_mm;
    rows.push(["Model's HC", `${mm(frame.model.row.head_circumference_mm)} mm (${difference < 0 ? "−" : "+"}${Math.abs(difference).toFixed(1)})`]);
  }
  for (const [name, value] of rows) if (value) ages.append(element("dt", name), element("dd", value));
  const hint = row.status === "unscaled" ? "Calibrate by a line of known length (C). " : "";
  const reason = element("p", frame.problem || hint + (row.reason ?? ""), "reason");
  panel.replaceChildren(element("p", title, `heading ${kind}`), values, ages, reason);
}

function spacing(row) {
  if (row.pixel_spacing_row_mm == null) return "";
  const [height, width] = [row.pixel_spacing_row_mm, row.pixel_spacing_column_mm].map((each) => each.toPrecision(4));
  return `${height === width ? height : `${height} × ${width}`} mm (${row.pixel_spacing_source})`;
}
