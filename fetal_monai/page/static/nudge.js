// The ellipse moved, stretched and turned by keys.

import { normalised } from "./ellipse.js";

const SMALLEST_PX = 2;
const TURN_RAD = Math.PI / 180;

export function moved(ellipse, dx, dy) {
  return { ...ellipse, center_x: ellipse.center_x + dx, center_y: ellipse.center_y + dy };
}

export function stretched(ellipse, along, across) {
  return normalised({
    ...ellipse,
    semi_axis_a: Math.max(ellipse.semi_axis_a + along / 2, SMALLEST_PX),
    semi_axis_b: Math.max(ellipse.semi_axis_b + across / 2, SMALLEST_PX),
  });
}

export function turned(ellipse, degrees) {
  return normalised({ ...ellipse, angle_rad: ellipse.angle_rad + degrees * TURN_RAD });
}

// In the middle of the frame: a start for those who draw by keys.
export function inTheMiddle({ x, y, width, height }) {
  const a = Math.min(width, height) / 4;
  return { center_x: x, center_y: y, semi_axis_a: a, semi_axis_b: 0.78 * a, angle_rad: 0 };
}
