// The unrolled recurrent network: forward in time, then the gradient from the last step back to the first.

import { stepper } from "./static/core.js";
import { dot, norm, number, plus, products } from "./static/dom.js";
import { arrow, windowed } from "./static/picture.js";
import { column } from "./static/tensors.js";

const LEFT = 92;
const GAP = 46;
const MOST_GAP = 96;
const LANE_GAP = 34;
const TOP = 8;
const RIBBON = 40;
const ROUNDING = 1e-5; // what float32 may lose in the sum

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
    top, norms: { forward: norms("h"), backward: norms("h.grad") }, parting: labels.parting,
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
  return Object.assign(lanes, { width, bottom: y - LANE_GAP });
}

function draw(net, step, width) {
  const now = net.plan[step];
  const { lanes, times } = net;
  const roomy = (width - LEFT - 6 - times * lanes.width) / Math.max(1, times - 1);
  const pitch = lanes.width + Math.min(MOST_GAP, Math.max(GAP, roomy));
  const { first, count } = windowed(now.t, times, (width - LEFT - 6 - lanes.width) / pitch + 1);
  const drawn = LEFT + count * pitch - (pitch - lanes.width) + 6;
  const frame = { first, count, pitch, step, left: (t) => LEFT + (t - first) * pitch };
  const picture = { width: Math.max(drawn, Math.min(width, 420)), blocks: [], paths: [], labels: [] };
  for (let t = first; t < first + count; t++) addColumn(picture, net, frame, t);
  addLanes(picture, net, frame);
  addRibbon(picture, net, frame);
  picture.legend = scales(net, now.pass);
  picture.whole = LEFT + times * (lanes.width + GAP) + 6;
  picture.explain = equations(net, now);
  picture.entrance = { id: `${now.parts.includes("h") ? "h" : now.parts[0]}${now.t}`, i: 0 };
  if (net.parting?.step === step) lookAt(picture, net.parting);
  return picture;
}

// Where the recording first parts from its reference, that cell speaks for the step.
function lookAt(picture, { id, i }) {
  picture.entrance = { id, i };
  picture.explain = picture.blocks.find((block) => block.id === id)?.explain(i) ?? picture.explain;
}

// One colour bar for each range of values; lanes with the same range share it.
function scales({ lanes, tensors }, pass) {
  const wide = lanes.filter((each) => each.name !== "h" && each.max.forward !== 1);
  const made = [{ ramp: "signed", max: 1, text: lanes.filter((each) => !wide.includes(each)).map((each) => `${each.name}_{t}`).join(", ") }];
  for (const each of wide) made.push({ ramp: "signed", max: each.max.forward, text: `${each.name}_{t}` });
  const back = pass === "backward" ? lanes.filter((each) => tensors[`${each.name}.grad`]) : [];
  for (const each of back) made.push({ ramp: "gradient", max: each.max.backward, text: `∂L/∂${each.name}_{t}` });
  return made;
}

const when = (at, step) => (at === undefined || at > step ? "future" : at === step ? "now" : "past");

function addColumn(picture, net, frame, t) {
  const { lanes, reached } = net;
  const x = frame.left(t);
  const mid = x + lanes.width / 2;
  for (const each of lanes) picture.blocks.push(block(net, each, t, mid - each.width / 2, frame.step));
  for (let i = 0; i + 1 < lanes.length; i++) {
    const [upper, lower] = [lanes[i], lanes[i + 1]];
    const [from, to] = [lower.y - 7, upper.y + upper.height + 7];
    const { back, state } = flow(net, lower.name, t, upper.name, t, frame.step);
    picture.paths.push(...(back ? arrow(mid, to, mid, from, state) : arrow(mid, from, mid, to, state)));
  }
  if (t > 0 || frame.first === 0) addHandover(picture, net, frame, t);
  const state = net.plan[frame.step].t === t ? "now" : when(reached.forward[`x${t}`] ?? reached.forward[`h${t}`], frame.step);
  picture.labels.push({ x: mid, y: lanes.bottom + 19, text: `t = ${t + 1}`, kind: "time", state });
  const token = net.tokens?.[t];
  if (token) picture.labels.push({ x: mid, y: lanes.bottom + 37, text: token, kind: "token", state: state === "now" ? "past" : state });
}

// From a lower or earlier value to a later one: forward, or backward once the gradient has come that far.
function flow({ tensors, reached }, from, fromT, to, toT, step) {
  const back = when(reached.backward[`${from}${fromT}`], step);
  if (tensors[`${from}.grad`] && fromT >= 0 && back !== "future") return { back: true, state: back };
  return { back: false, state: when(reached.forward[`${to}${toT}`], step) };
}

// The state that a column takes from the one before it, or the gradient that it hands back.
function addHandover(picture, net, { left, first, pitch, step }, t) {
  const { lanes } = net;
  const hidden = lanes.find((each) => each.name === "h");
  const inset = (lanes.width - hidden.width) / 2;
  const y = hidden.y + hidden.height / 2;
  const to = left(t) + inset - 7;
  const from = t === first ? to - GAP + 14 : left(t) - pitch + inset + hidden.width + 7;
  const { back, state } = flow(net, "h", t - 1, "h", t, step);
  picture.paths.push(...(back ? arrow(to, y, from, y, state) : arrow(from, y, to, y, state)));
  if (t === first) picture.labels.push({ x: (from + to) / 2, y: y + 19, text: `h_{${t}}`, kind: "time" });
}

function block(net, each, t, x, step) {
  const { tensors, reached } = net;
  const { name, y, rows, cols, cell, numbers } = each;
  const back = when(reached.backward[`${name}${t}`], step);
  const backward = tensors[`${name}.grad`] && back !== "future";
  const pass = backward ? "backward" : "forward";
  return {
    id: `${name}${t}`, x, y, rows, cols, cell, numbers,
    state: backward ? back : when(reached.forward[`${name}${t}`], step),
    data: tensors[backward ? `${name}.grad` : name].row(t),
    ramp: backward ? "gradient" : "signed",
    max: each.max[pass],
    marks: backward ? undefined : tensors[`${name}.differs`]?.row(t),
    name: (i) => `${backward ? "gradient of " : ""}${name}_{${t + 1}}[${i}]`,
    explain: (i) => explain(net, name, t, i, pass),
  };
}

function addLanes(picture, { lanes, plan, tensors }, { step }) {
  for (const { name, y, height } of lanes) {
    const back = plan[step].pass === "backward" && tensors[`${name}.grad`];
    const text = back ? `∂L/∂${name}_{t}` : `${name}_{t}`;
    picture.labels.push({ x: 2, y: y + Math.min(height, 24) / 2 + 5, text, kind: "lane", anchor: "start" });
  }
}

// Every time step at once: how long the state is, or on a logarithmic scale how long the gradient is.
function addRibbon(picture, net, { first, count, step, left }) {
  const { norms, plan, times, lanes } = net;
  const { pass, t: now } = plan[step];
  const values = norms[pass];
  const top = lanes.bottom + (net.tokens ? 54 : 36);
  const [x, width] = [LEFT, picture.width - LEFT - 6];
  const slot = width / times;
  picture.height = top + RIBBON + 8;
  const heights = pass === "backward" ? logarithmic(values) : linear(values);
  const middle = (t) => (count === times ? left(t) + lanes.width / 2 : x + (t + 0.5) * slot);
  const bar = (t) => {
    const high = Math.max(1.5, heights.of(values[t]) * (RIBBON - 6));
    const wide = Math.max(1, Math.min(slot - 2, 26));
    return `M${(middle(t) - wide / 2).toFixed(1)} ${top + RIBBON}h${wide.toFixed(1)}v${-high.toFixed(1)}h${-wide.toFixed(1)}z`;
  };
  const reachedAt = (t) => when(net.reached[pass][`h${t}`], step) !== "future";
  const done = Array.from({ length: times }, (_, t) => t).filter((t) => t !== now && reachedAt(t));
  if (count < times) picture.paths.push({ d: `M${x + first * slot} ${top}h${count * slot}v${RIBBON}h${-count * slot}z`, kind: "band" });
  picture.paths.push({ d: `M${x} ${top + RIBBON}h${width}`, kind: "axis" });
  picture.paths.push({ d: done.map(bar).join("") || "M0 0", kind: "bars" });
  picture.paths.push({ d: reachedAt(now) ? bar(now) : "M0 0", kind: "bars", state: "now" });
  picture.labels.push(
    { x: 2, y: top + 10, text: pass === "backward" ? "‖∂L/∂h_{t}‖" : "‖h_{t}‖", kind: "time", anchor: "start" },
    { x: 2, y: top + 25, text: `to ${number(heights.most)}`, anchor: "start" },
    ...(pass === "backward" ? [{ x: 2, y: top + 39, text: `from ${number(heights.least)}`, anchor: "start" }] : []),
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
  return [...parts.filter((part) => lines[part]).map((part) => lines[part]), "Point at a cell, or press Enter and arrow keys, to see its numbers."];
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
    const sum = `${products(V.row(i), tensors.h.row(t))} ${plus(bias)}`;
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
    `= tanh((${products(W.row(i), before)}) + (${products(U.row(i), x.row(t))}) ${plus(bias)})`,
    `= tanh(${number(memory)} ${plus(input)} ${plus(bias)}) = ${value}`,
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
  const rest = total - through;
  const direct = Math.abs(rest) < ROUNDING * norm(slope) ? 0 : rest;
  return [
    `∂L/∂h_{${n}}[${i}] = Σ_{j} W[j, ${i}] (1 − h_{${n + 1}}[j]^{2}) ∂L/∂h_{${n + 1}}[j] + what the loss at t = ${n} adds`,
    `= ${products(weights, slope)} ${plus(direct)}`,
    `= ${number(through, 4)} through time ${plus(direct, 4)} = ${number(total, 4)}`,
  ];
}

const render = (context) => stepper(context, compose);
export default { render };
