// The growth chart: curves from the server, the measurement as a point on them.

const SVG = "http://www.w3.org/2000/svg";
const [WIDTH, HEIGHT] = [300, 250];
const [LEFT, RIGHT, TOP, BOTTOM] = [28, 24, 8, 20];
const [FIRST_WEEK, LAST_WEEK, LEAST_MM, MOST_MM] = [13, 41, 70, 372];

const x = (weeks) => LEFT + ((weeks - FIRST_WEEK) / (LAST_WEEK - FIRST_WEEK)) * (WIDTH - LEFT - RIGHT);
const y = (mm) => HEIGHT - BOTTOM - ((mm - LEAST_MM) / (MOST_MM - LEAST_MM)) * (HEIGHT - TOP - BOTTOM);

function node(name, attributes, text) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text) made.textContent = text;
  return made;
}

const path = (points) => points.map(([weeks, mm], place) => `${place ? "L" : "M"}${x(weeks).toFixed(1)} ${y(mm).toFixed(1)}`).join("");

export class Chart {
  constructor(svg, curves) {
    this.svg = svg;
    svg.setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT}`);
    for (let mm = 100; mm <= 350; mm += 50) {
      svg.append(node("path", { class: "grid", d: `M${LEFT} ${y(mm)}H${WIDTH - RIGHT}` }), node("text", { class: "tick", x: LEFT - 4, y: y(mm) + 3, "text-anchor": "end" }, String(mm)));
    }
    for (let weeks = 16; weeks <= 36; weeks += 4) {
      svg.append(node("path", { class: "grid", d: `M${x(weeks)} ${TOP}V${HEIGHT - BOTTOM}` }), node("text", { class: "tick", x: x(weeks), y: HEIGHT - 8, "text-anchor": "middle" }, String(weeks)));
    }
    svg.append(node("text", { class: "tick", x: WIDTH, y: HEIGHT - 8, "text-anchor": "end" }, "weeks"), node("text", { class: "tick", x: LEFT - 4, y: TOP + 6, "text-anchor": "end" }, "mm"));
    for (const [centile, points] of Object.entries(curves.intergrowth)) {
      svg.append(node("path", { class: `centile c${centile}`, d: path(points) }));
      const [weeks, mm] = points.at(-1);
      svg.append(node("text", { class: "tick", x: x(weeks) + 4, y: y(mm) + 3 + { 3: 5, 10: 1, 50: 0, 90: -1, 97: -5 }[centile] }, centile));
    }
    svg.append(node("path", { class: "hadlock", d: path(curves.hadlock.filter(([weeks]) => weeks >= FIRST_WEEK && weeks <= LAST_WEEK)) }));
    svg.append(node("path", { class: "centile c50", d: `M${LEFT + 8} 16h14` }), node("text", { class: "tick", x: LEFT + 26, y: 19 }, "INTERGROWTH-21st, centiles"));
    svg.append(node("path", { class: "hadlock", d: `M${LEFT + 8} 28h14` }), node("text", { class: "tick", x: LEFT + 26, y: 31 }, "Hadlock 1984"));
    this.point = node("g", { class: "point", visibility: "hidden" });
    this.point.append(node("path", { d: "" }), node("circle", { r: 4.5 }));
    svg.append(this.point);
  }

  // The point is at the age of the dating scan where there is one, else at that from the head circumference.
  show(row) {
    const hc = row?.head_circumference_mm;
    const days = row?.known_gestational_age_days ?? row?.gestational_age_intergrowth_days ?? row?.gestational_age_hadlock_days;
    const known = hc != null && days != null;
    this.point.setAttribute("visibility", known ? "visible" : "hidden");
    if (!known) {
      this.svg.setAttribute("aria-label", "Growth chart, without a measurement");
      return;
    }
    const [across, up] = [x(days / 7), y(hc)];
    this.point.children[0].setAttribute("d", `M${LEFT} ${up}H${across}V${HEIGHT - BOTTOM}`);
    this.point.children[1].setAttribute("cx", across);
    this.point.children[1].setAttribute("cy", up);
    const centile = row.head_circumference_centile == null ? "" : `, centile ${row.head_circumference_centile}`;
    this.svg.setAttribute("aria-label", `Growth chart: ${hc.toFixed(1)} mm at ${(days / 7).toFixed(1)} weeks${centile}`);
  }
}
