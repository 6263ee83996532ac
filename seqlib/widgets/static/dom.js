// Elements, numbers and the small formula language of the steppers.

const SVG = "http://www.w3.org/2000/svg";

function build(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined));
  return node;
}

export const html = (tag, attributes, ...children) => build(document.createElement(tag), attributes, children);
export const svg = (tag, attributes, ...children) => build(document.createElementNS(SVG, tag), attributes, children);

/** A number as people write it: true minus sign, whole numbers plain, powers of ten when small or large. */
export function number(value, digits = 2) {
  if (!Number.isFinite(value)) return special(value);
  const size = Math.abs(value);
  if (size >= 1e5 || (size !== 0 && size < 0.5 * 10 ** -digits)) return scientific(value);
  return written(Number.isInteger(value) ? String(Math.abs(value)) : size.toFixed(digits), value);
}

const special = (value) => (Number.isNaN(value) ? "NaN" : value > 0 ? "∞" : "−∞");
const written = (text, value) => (value < 0 ? `−${text}` : text);

function scientific(value) {
  const [mantissa, exponent] = value.toExponential(1).split("e");
  return `${mantissa}·10^{${Number(exponent)}}`.replaceAll("-", "−");
}

/** A number short enough for a cell. */
export function brief(value) {
  if (!Number.isFinite(value)) return special(value);
  const size = Math.abs(value);
  if (size >= 1000 || (size !== 0 && size < 0.005)) return value.toExponential(0).replace("+", "").replaceAll("-", "−");
  if (Number.isInteger(value)) return written(String(size), value);
  return written(size.toFixed(size < 9.995 ? 2 : size < 99.95 ? 1 : 0), value);
}

/** Formula text to pieces: `h_{t}` and `10^{3}` become [["", "h"], ["sub", "t"], ...]; one letter needs no braces. */
export function pieces(text) {
  const found = [];
  let plain = "";
  for (const match of text.matchAll(/([_^])(?:\{([^}]*)\}|([A-Za-z0-9∂]))|([\s\S])/g)) {
    if (match[4] !== undefined) {
      plain += match[4];
      continue;
    }
    if (plain) found.push(["", plain]);
    plain = "";
    found.push([match[1] === "_" ? "sub" : "sup", match[2] ?? match[3]]);
  }
  if (plain) found.push(["", plain]);
  return found;
}

/** Formula text to nodes, its single letters slanted as variables are. */
export const formula = (text) => pieces(text).flatMap(([tag, part]) => (tag ? html(tag, {}, slanted(part)) : slanted(part)));

const VARIABLE = /((?<![\p{L}“])[b-zB-HJ-Z](?![\p{L}”]))/u;
const slanted = (text) => text.split(VARIABLE).map((part, i) => (i % 2 ? html("var", {}, part) : part));

/** Formula text to words without markup, for screen readers and plain labels. */
export const plain = (text) =>
  pieces(text).map(([tag, part]) => (tag === "sup" ? `^${part}` : part)).join("");

/** A sum with its numbers: every product when there are few, otherwise the largest ones that are not zero. */
export function products(left, right, most = 6) {
  const terms = Array.from(left, (value, i) => [value, right[i]]);
  if (terms.length <= most) return joined(terms);
  const counted = terms.filter(([a, b]) => a * b !== 0);
  const hidden = counted.length - most;
  if (hidden > 0) return `${joined(largest(counted, most))} + … (${hidden} smaller terms)`;
  return counted.length ? `${joined(counted)} (all others are 0)` : "0";
}

const joined = (terms) => terms.map(([a, b], i) => `${i ? plus(a) : number(a)}·${guarded(b)}`).join(" ");
const largest = (terms, most) =>
  [...terms].sort((p, q) => Math.abs(q[0] * q[1]) - Math.abs(p[0] * p[1])).slice(0, most);
const guarded = (value) => (value < 0 ? `(${number(value)})` : number(value));

/** A number as the next term of a sum. */
export const plus = (value, digits = 2) => `${value < 0 ? "−" : "+"} ${number(Math.abs(value), digits)}`;

export const dot = (left, right) => left.reduce((sum, value, i) => sum + value * right[i], 0);
export const norm = (values) => Math.hypot(...values);
