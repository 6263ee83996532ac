// The unrolled recurrent network: forward in time, then the gradient from the last step back to the first.

import { stepper } from "./static/core.js";
import { dot, norm, number, products } from "./static/dom.js";
import { arrow, windowed } from "./static/picture.js";
import { column } from "./static/tensors.js";

const LEFT = 66;
const GAP = 46;
const LANE_GAP = 40;
const TOP = 8;
const RIBBON = 46;
const NAMES = { x: "x", h: "h", o: "o", y: "y" };

/** The scene of a recording: everything but the step and the width is worked out once. */
export function compose(tensors, labels) {
  const net = network(tensors, labels);
  return (step, width) => draw(net, Math.min(step, net.plan.length - 1), width);
}

function network(tensors, labels) {
  const lanes = ["y", "o", "h", "x"].filter((name) => tensors[name]).map((name) => lane(name, tensors));
  const top = lanes.find((each) => each.name === "y" || each.name === "o")?.name;
  const shown = lanes.filter((each) => ["h", "x", top].includes(each.name));
  const reached = { forward: {}, backward: {} };
  labels.plan.forEach(({ t, parts, pass }, at) => parts.forEach((part) => (reached[pass][`${part}${t}`] ??= at)));
  const times = labels.times;
  const norms = (name) => tensors[name] && Array.from({ length: times }, (_, t) => norm(tensors[name].row(t)));
  return {
    tensors, plan: labels.plan, times, tokens: labels.tokens, reached, lanes: stack(shown),
    top, norms: { forward: norms("h"), backward: norms("h.grad") }, lengths: labels.lengths,
  };
}

// A short vector is a column of numbers, a long one a square of colours.
function lane(name, tensors) {
  const size = tensors[name].shape[1];
  const grad = tensors[`${name}.grad`];
  const few = size <= 8;
  const cols = few ? 1 : Math.ceil(Math.sqrt(size));
  const side = Math.max(4, Math.min(18, Math.floor(84 / cols)));
  const cell = few ? [48, size <= 5 ? 24 : 19] : [side, side];
  const rows = Math.ceil(size / cols);
  const max = { forward: name === "h" || name === "y" ? 1 : peak(tensors[name]), backward: grad && peak(grad) };
  return { name, size, cols, rows, cell, max, width: cols * cell[0], height: rows * cell[1], numbers: few };
}

const peak = ({ data }) => {
  let most = 0;
  for (const value of data) if (Math.abs(value) > most && Number.isFinite(value)) most = Math.abs(value);
  return most || 1;
};

function stack(lanes) {
  const width = Math.max(...lanes.map((each) => each.width));
  let y = TOP;
  for (const each of lanes) {
    each.y = y;
    y += each.height + LANE_GAP;
  }
  return Object.assign(lanes, { width, pitch: width + GAP, bottom: y - LANE_GAP });
}

function draw(net, step, width) {
  const now = net.plan[step];
  const { lanes } = net;
  const columns = windowed(now.t, net.times, (width - LEFT - 4 + GAP) / lanes.pitch);
  const drawn = LEFT + columns.count * lanes.pitch - GAP + 6;
  const picture = { width: Math.max(drawn, Math.min(width, 520)), blocks: [], paths: [], labels: [] };
  const left = (t) => LEFT + (t - columns.first) * lanes.pitch;
  for (let t = columns.first; t < columns.first + columns.count; t++) addColumn(picture, net, step, t, left(t));
  addSides(picture, net, step, columns, left);
  addRibbon(picture, net, step, columns);
  const back = now.pass === "backward";
  picture.legend = [
    { ramp: "signed", max: 1, text: "h_{t}" },
    ...(back ? [{ ramp: "gradient", max: lanes.find((each) => each.name === "h").max.backward, text: "∂L/∂h_{t}" }] : []),
  ];
  picture.explain = equations(net, now);
  return picture;
}

const when = (at, step) => (at === undefined || at > step ? "future" : at === step ? "now" : "past");

function addColumn(picture, net, step, t, x) {
  const { tensors, lanes, reached } = net;
  const mid = x + lanes.width / 2;
  for (const each of lanes) {
    const back = when(reached.backward[`${each.name}${t}`], step);
    const pass = back === "future" || !tensors[`${each.name}.grad`] ? "forward" : "backward";
    const state = pass === "backward" ? back : when(reached.forward[`${each.name}${t}`], step);
    picture.blocks.push(block(net, each, t, mid - each.width / 2, pass, state));
  }
  for (let i = 0; i + 1 < lanes.length; i++) {
    const [upper, lower] = [lanes[i], lanes[i + 1]];
    const back = when(reached.backward[`${lower.name}${t}`], step);
    const flows = tensors[`${lower.name}.grad`] && back !== "future";
    const state = flows ? back : when(reached.forward[`${upper.name}${t}`], step);
    const [from, to] = [lower.y - 7, upper.y + upper.height + 7];
    picture.paths.push({ d: flows ? arrow(mid, to, mid, from) : arrow(mid, from, mid, to), kind: flows ? "flow" : "flow", state });
  }
  const { bottom } = lanes;
  const state = when(reached.forward[`x${t}`] ?? reached.forward[`h${t}`], step);
  picture.labels.push({ x: mid, y: bottom + 18, text: `t = ${t + 1}`, kind: "time", state: net.plan[step].t === t ? "now" : state });
  const token = net.tokens?.[t];
  if (token) picture.labels.push({ x: mid, y: bottom + 36, text: token.replace(/[_^]/g, (c) => c + "{" + "}"), kind: "token", state });
}

function block(net, each, t, x, pass, state) {
  const { tensors } = net;
  const { name, y, rows, cols, cell, numbers } = each;
  const data = tensors[pass === "backward" ? `${name}.grad` : name].row(t);
  return {
    id: `${name}${t}`, x, y, rows, cols, cell, data, numbers, state,
    ramp: pass === "backward" ? "gradient" : "signed",
    max: each.max[pass],
    marks: pass === "forward" ? tensors[`${name}.differs`]?.row(t) : undefined,
    name: (i) => `${pass === "backward" ? "gradient of " : ""}${NAMES[name]}_{${t + 1}}[${i}]`,
    explain: (i) => explain(net, name, t, i, pass),
  };
}

// Between the columns: the state handed on, or the gradient handed back.
function addSides(picture, net, step, { first, count }, left) {
  const { lanes, reached, tensors, times } = net;
  const hidden = lanes.find((each) => each.name === "h");
  const y = hidden.y + hidden.height / 2;
  const inset = (lanes.width - hidden.width) / 2;
  for (let t = first; t <= first + count; t++) {
    if (t === times) continue;
    const to = left(t) + inset - 7;
    const from = t === first ? to - GAP + 14 : left(t - 1) + inset + hidden.width + 7;
    if (t === first + count) continue;
    const back = when(reached.backward[`h${t - 1}`], step);
    const flows = tensors["h.grad"] && back !== "future" && t > 0;
    const state = flows ? back : when(reached.forward[`h${t}`], step);
    picture.paths.push({ d: flows ? arrow(to, y, from, y) : arrow(from, y, to, y), kind: "flow", state });
  }
  for (const each of lanes) {
    const text = net.plan[step].pass === "backward" && tensors[`${each.name}.grad`] ? `∂L/∂${each.name}_{t}` : `${each.name}_{t}`;
    picture.labels.push({ x: 4, y: each.y + Math.min(each.height, 24) / 2 + 5, text, kind: "lane", anchor: "start" });
  }
  const before = first === 0 ? "h_{0}" : `h_{${first}}`;
  picture.labels.push({ x: LEFT - GAP + 20 + inset, y: y + 18, text: before, kind: "time" });
}

// Every time step at once: how long the state is, or on a logarithmic scale how long the gradient is.
function addRibbon(picture, net, step, { first, count }) {
  const { norms, plan, times, lanes } = net;
  const { pass, t: now } = plan[step];
  const values = norms[pass];
  const top = lanes.bottom + (net.tokens ? 54 : 36);
  const [x, width] = [LEFT, picture.width - LEFT - 6];
  const slot = width / times;
  picture.height = top + RIBBON + 4;
  const heights = pass === "backward" ? logarithmic(values) : linear(values);
  const bar = (t) => {
    const high = Math.max(1.5, heights.of(values[t]) * (RIBBON - 6));
    const wide = Math.max(1, Math.min(slot - 2, 26));
    return `M${(x + (t + 0.5) * slot - wide / 2).toFixed(1)} ${top + RIBBON}h${wide.toFixed(1)}v${-high.toFixed(1)}h${-wide.toFixed(1)}z`;
  };
  const reachedAt = (t) => when(net.reached[pass][`h${t}`], step) !== "future";
  const done = Array.from({ length: times }, (_, t) => t).filter((t) => t !== now && reachedAt(t));
  if (count < times) picture.paths.push({ d: `M${x + first * slot} ${top}h${count * slot}v${RIBBON}h${-count * slot}z`, kind: "band" });
  picture.paths.push({ d: `M${x} ${top + RIBBON}h${width}`, kind: "axis" });
  picture.paths.push({ d: done.map(bar).join("") || "M0 0", kind: "bars" });
  picture.paths.push({ d: reachedAt(now) ? bar(now) : "M0 0", kind: "bars", state: "now" });
  picture.labels.push(
    { x: 4, y: top + 14, text: pass === "backward" ? "‖∂L/∂h_{t}‖" : "‖h_{t}‖", kind: "time", anchor: "start" },
    { x: 4, y: top + 30, text: `to ${number(heights.most)}`, anchor: "start" },
    ...(pass === "backward" ? [{ x: 4, y: top + 45, text: `from ${number(heights.least)}`, anchor: "start" }] : []),
  );
}

const finite = (values) => values.filter((value) => Number.isFinite(value) && value > 0);

function linear(values) {
  const most = Math.max(...finite(values), 1e-12);
  return { most, least: 0, of: (value) => (Number.isFinite(value) ? value / most : 1) };
}

function logarithmic(values) {
  const [most, least] = [Math.max(...finite(values), 1e-30), Math.min(...finite(values), 1e30)];
  const span = Math.max(Math.log(most / least), 1);
  return { most, least, of: (value) => (value > 0 ? 0.06 + 0.94 * (1 - Math.log(most / value) / span) : 0) };
}

function equations(net, { t, parts, pass }) {
  const n = t + 1;
  if (pass === "backward") {
    const last = t + 1 === net.times;
    return [
      last ? `∂L/∂h_{${n}}: the loss reaches the last state directly.` : `∂L/∂h_{${n}} = W^{⊤} ((1 − h_{${n + 1}}^{2}) ⊙ ∂L/∂h_{${n + 1}}) + what the loss at t = ${n} adds`,
      `‖∂L/∂h_{${n}}‖ = ${number(net.norms.backward[t], 4)}`,
    ];
  }
  const lines = {
    x: `x_{${n}} arrives.`,
    h: `h_{${n}} = tanh(W h_{${t}} + U x_{${n}} + b)`,
    o: `o_{${n}} = V h_{${n}} + c`,
    y: `y_{${n}} = softmax(V h_{${n}} + c)`,
  };
  return [...parts.filter((part) => lines[part]).map((part) => lines[part]), "Point at a cell, or press Enter and the arrow keys, for its numbers."];
}

function explain(net, name, t, i, pass) {
  const lines = pass === "backward" ? backward(net, name, t, i) : forward(net, name, t, i);
  const wanted = pass === "forward" && net.tensors[`${name}.differs`]?.row(t)[i] ? net.tensors[`${name}.reference`].row(t)[i] : null;
  return wanted === null ? lines : [...lines, `the reference has ${number(wanted, 4)} here`];
}

function forward({ tensors }, name, t, i) {
  const n = t + 1;
  const value = number(tensors[name].row(t)[i], 4);
  const { W, U, V } = tensors;
  if (name === "h" && W && U) return state(tensors, t, i, value);
  if ((name === "o" || name === "y") && V) {
    const bias = tensors.c?.data[i] ?? 0;
    const logit = `V[${i}]·h_{${n}} + c[${i}]`;
    const sum = `${products(V.row(i), tensors.h.row(t))} + ${number(bias)}`;
    if (name === "o") return [`o_{${n}}[${i}] = ${logit}`, `= ${sum}`, `= ${value}`];
    return [`y_{${n}}[${i}] = softmax of ${logit}`, `with ${sum} = ${number(dot(V.row(i), tensors.h.row(t)) + bias)}`, `= ${value}`];
  }
  return [`${name}_{${n}}[${i}] = ${value}`];
}

function state(tensors, t, i, value) {
  const { W, U, b, x } = tensors;
  const before = t ? tensors.h.row(t - 1) : (tensors.h0?.data ?? new Float32Array(W.shape[1]));
  const bias = b?.data[i] ?? 0;
  const [memory, input] = [dot(W.row(i), before), dot(U.row(i), x.row(t))];
  return [
    `h_{${t + 1}}[${i}] = tanh(W[${i}]·h_{${t}} + U[${i}]·x_{${t + 1}} + b[${i}])`,
    `= tanh((${products(W.row(i), before)}) + (${products(U.row(i), x.row(t))}) + ${number(bias)})`,
    `= tanh(${number(memory)} + ${number(input)} + ${number(bias)}) = ${value}`,
  ];
}

function backward({ tensors, times }, name, t, i) {
  const n = t + 1;
  const total = tensors[`${name}.grad`].row(t)[i];
  if (name !== "h" || t + 1 === times || !tensors.W) return [`∂L/∂${name}_{${n}}[${i}] = ${number(total, 4)}`];
  const later = tensors.h.row(t + 1);
  const slope = tensors["h.grad"].row(t + 1).map((grad, j) => (1 - later[j] ** 2) * grad);
  const weights = column(tensors.W, i);
  const through = dot(weights, slope);
  return [
    `∂L/∂h_{${n}}[${i}] = Σ_{j} W[j, ${i}] (1 − h_{${n + 1}}[j]^{2}) ∂L/∂h_{${n + 1}}[j] + what the loss at t = ${n} adds`,
    `= ${products(weights, slope)} + ${number(total - through)}`,
    `= ${number(through, 4)} through time + ${number(total - through, 4)} = ${number(total, 4)}`,
  ];
}

const render = (context) => stepper(context, compose);
export default { render };
