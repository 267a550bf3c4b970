// An ellipse as the server and its labels have it (px, pixel centres at integers), and as Konva draws it.

const DEGREES = 180 / Math.PI;

export function toKonva(ellipse) {
  return {
    x: ellipse.center_x,
    y: ellipse.center_y,
    radiusX: ellipse.semi_axis_a,
    radiusY: ellipse.semi_axis_b,
    rotation: upright(ellipse.angle_rad) * DEGREES,
    scaleX: 1,
    scaleY: 1,
  };
}

// The same axis between -90 and 90 degrees, so that the handle to turn it is above.
const upright = (angle) => (angle > Math.PI / 2 ? angle - Math.PI : angle);

export function fromKonva(node) {
  const along = node.radiusX() * Math.abs(node.scaleX());
  const across = node.radiusY() * Math.abs(node.scaleY());
  return normalised({
    center_x: node.x(),
    center_y: node.y(),
    semi_axis_a: along,
    semi_axis_b: across,
    angle_rad: node.rotation() / DEGREES,
  });
}

// The long axis first, and its angle between 0 and pi.
export function normalised(ellipse) {
  const swap = ellipse.semi_axis_b > ellipse.semi_axis_a;
  const angle = ellipse.angle_rad + (swap ? Math.PI / 2 : 0);
  return {
    ...ellipse,
    semi_axis_a: swap ? ellipse.semi_axis_b : ellipse.semi_axis_a,
    semi_axis_b: swap ? ellipse.semi_axis_a : ellipse.semi_axis_b,
    angle_rad: ((angle % Math.PI) + Math.PI) % Math.PI,
  };
}

// The ends of the long axis and of the short one.
export function axes({ center_x: x, center_y: y, semi_axis_a: a, semi_axis_b: b, angle_rad: angle }) {
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  return {
    long: [x - a * cos, y - a * sin, x + a * cos, y + a * sin],
    short: [x + b * sin, y - b * cos, x - b * sin, y + b * cos],
  };
}

// As wide as heads usually are: their BPD is about 0.78 of the OFD.
export function alongAxis(x1, y1, x2, y2) {
  const a = Math.hypot(x2 - x1, y2 - y1) / 2;
  return normalised({
    center_x: (x1 + x2) / 2,
    center_y: (y1 + y2) / 2,
    semi_axis_a: a,
    semi_axis_b: 0.78 * a,
    angle_rad: Math.atan2(y2 - y1, x2 - x1),
  });
}
