// Colour ramps that colour-blind readers can tell apart, in a light and a dark form, and the ink that reads on them.

const RAMPS = {
  // blue to orange: values with a sign
  signed: {
    light: ["#7a3b00", "#c8690f", "#f2b26b", "#f6f4f0", "#9cc3e6", "#2f7fc1", "#0a3f75"],
    dark: ["#ffc98a", "#e08a2e", "#7d4a17", "#2a2d33", "#1d4f80", "#4a9be0", "#b5dcff"],
  },
  // brown to teal: gradients, so that the two passes never look alike
  gradient: {
    light: ["#5c3a05", "#a8741a", "#dfc27d", "#f5f5f3", "#80cdc1", "#1f8f84", "#00423a"],
    dark: ["#f0d9a0", "#c79a45", "#6b5220", "#2a2d33", "#155e56", "#35b3a6", "#a8eee4"],
  },
  // one direction: amounts and probabilities
  amount: {
    light: ["#f6f4f0", "#e3dcc0", "#c2c08b", "#8ca57c", "#4f8380", "#1f5a7a", "#0b2a52"],
    dark: ["#24272d", "#1c3f5f", "#26637a", "#4c8a7c", "#8eac70", "#d3c766", "#fff3a0"],
  },
};
const SIZE = 256;
const tables = new Map();

const channels = (hex) => [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16));

/** The ramp as 256 colours: `rgb` for tests and ink, `css` for attributes, `word` for image data. */
export function table(ramp, dark = false) {
  const key = `${ramp} ${dark}`;
  if (!tables.has(key)) tables.set(key, fill(RAMPS[ramp][dark ? "dark" : "light"].map(channels)));
  return tables.get(key);
}

function fill(stops) {
  const rgb = Array.from({ length: SIZE }, (_, i) => between(stops, i / (SIZE - 1)));
  return {
    rgb,
    css: rgb.map(([r, g, b]) => `rgb(${r},${g},${b})`),
    ink: rgb.map(ink),
    word: Uint32Array.from(rgb, ([r, g, b]) => (255 << 24) | (b << 16) | (g << 8) | r),
  };
}

function between(stops, share) {
  const place = share * (stops.length - 1);
  const i = Math.min(stops.length - 2, Math.floor(place));
  return stops[i].map((from, c) => Math.round(from + (stops[i + 1][c] - from) * (place - i)));
}

/** Where a value lies in its table; -1 for NaN, which has no colour. */
export function shade(ramp, value, max) {
  const [scale, zero] = axis(ramp, max);
  return value === value ? index(value * scale + zero) : -1;
}

/** The words of a whole block of values: `shade` without a call for each cell. */
export function words(pixels, data, { ramp, max }, dark) {
  const { word } = table(ramp, dark);
  const [scale, zero] = axis(ramp, max);
  for (let i = 0; i < data.length; i++) pixels[i] = data[i] === data[i] ? word[index(data[i] * scale + zero)] : 0;
}

const axis = (ramp, max) => (ramp === "amount" ? [(SIZE - 1) / max, 0] : [(SIZE - 1) / (2 * max), (SIZE - 1) / 2]);
const index = (place) => (place <= 0 ? 0 : place >= SIZE - 1 ? SIZE - 1 : (place + 0.5) | 0);

export function luminance(rgb) {
  const [r, g, b] = rgb.map((c) => c / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

/** Black or white, whichever reads better; at this threshold both reach the 4.5 : 1 of WCAG AA. */
export const ink = (rgb) => (luminance(rgb) > 0.179 ? "#000" : "#fff");
