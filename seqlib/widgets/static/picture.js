// A picture is plain data: blocks of cells, paths and labels. This file finds cells in it and paints it.
//
// block: {id, x, y, rows, cols, cell: [width, height], data, ramp, max, state, numbers, marks, name(i), explain(i)}
// path:  {d, kind, state}        label: {x, y, text, kind, anchor, state}
// `state` is "future" (an empty slot), "past" or "now"; cell i lies in row i / cols, column i % cols.
// A picture also has width, height, explain (lines) and may have whole (the width that would show all of it),
// entrance ({id, i}: the cell to look at first) and legend ([{ramp, max, text}]).

import { brief, pieces, plain, svg } from "./dom.js";
import { shade, table, words } from "./colour.js";

export const MOST_SVG_CELLS = 1000;

/** The cell under a point of the picture, or null. */
export function hit(picture, x, y) {
  for (const block of picture.blocks) {
    const col = Math.floor((x - block.x) / block.cell[0]);
    const row = Math.floor((y - block.y) / block.cell[1]);
    if (block.state === "future" || col < 0 || row < 0 || col >= block.cols || row >= block.rows) continue;
    const i = row * block.cols + col;
    if (i < block.data.length) return { id: block.id, i };
  }
  return null;
}

export const find = (picture, focus) =>
  focus && picture.blocks.find((block) => block.id === focus.id && block.state !== "future");

const centre = (block, i) => [
  block.x + ((i % block.cols) + 0.5) * block.cell[0],
  block.y + (Math.floor(i / block.cols) + 0.5) * block.cell[1],
];

/** The next cell one arrow key away: inside the block first, then in the nearest block on that side. */
export function neighbour(picture, focus, [dx, dy]) {
  const block = find(picture, focus);
  if (!block) return entrance(picture);
  const col = (focus.i % block.cols) + dx;
  const row = Math.floor(focus.i / block.cols) + dy;
  const i = row * block.cols + col;
  if (col >= 0 && col < block.cols && row >= 0 && i < block.data.length && row < block.rows) return { id: block.id, i };
  return across(picture, block, centre(block, focus.i), [dx, dy]) ?? focus;
}

function across(picture, from, [x, y], [dx, dy]) {
  let best = null;
  for (const block of picture.blocks) {
    if (block === from || block.state === "future") continue;
    for (let i = 0; i < block.data.length; i++) {
      const [u, v] = centre(block, i);
      const along = (u - x) * dx + (v - y) * dy;
      const beside = Math.abs((u - x) * dy) + Math.abs((v - y) * dx);
      if (along <= 0 || beside > 2 * along) continue;
      const cost = along + 2 * beside;
      if (!best || cost < best.cost) best = { cost, id: block.id, i };
    }
  }
  return best && { id: best.id, i: best.i };
}

/** Where the focus enters: the cell that the picture names, or the first cell of what is happening now. */
export function entrance(picture) {
  if (find(picture, picture.entrance)) return picture.entrance;
  const open = picture.blocks.filter((block) => block.state !== "future");
  const block = open.find((each) => each.state === "now") ?? open.at(-1);
  return block ? { id: block.id, i: 0 } : null;
}

// Nodes are kept between steps and only the attributes that changed are written.
class Pool {
  constructor(parent, tag) {
    Object.assign(this, { parent, tag, nodes: [], used: 0 });
  }

  next(attributes) {
    const node = (this.nodes[this.used] ??= this.parent.appendChild(svg(this.tag)));
    this.used += 1;
    const last = (node.last ??= {});
    for (const name in attributes) {
      if (last[name] !== attributes[name]) node.setAttribute(name, (last[name] = attributes[name]));
    }
    return node;
  }

  done() {
    for (let i = this.used; i < this.nodes.length; i++) {
      if (this.nodes[i].last.class !== "sq-none") this.nodes[i].setAttribute("class", (this.nodes[i].last.class = "sq-none"));
    }
    this.used = 0;
  }
}

const LAYERS = { slots: "rect", paths: "path", cells: "rect", numbers: "text", marks: "rect", labels: "text" };

/** The painter of one stage: small pictures in SVG, large ones with their cells on a canvas below the SVG. */
export function painter() {
  const canvas = document.createElement("canvas");
  const drawing = svg("svg", { class: "sq-drawing", "aria-hidden": "true" });
  const pools = {};
  for (const [name, tag] of Object.entries(LAYERS)) pools[name] = new Pool(drawing.appendChild(svg("g")), tag);
  const ring = drawing.appendChild(svg("rect", { class: "sq-none" }));
  const tile = document.createElement("canvas");

  function paint(picture, scale, dark) {
    const size = [picture.width * scale, picture.height * scale];
    set(drawing, { viewBox: `0 0 ${picture.width} ${picture.height}`, width: size[0], height: size[1] });
    const count = picture.blocks.reduce((sum, b) => sum + (b.state === "future" ? 0 : b.data.length), 0);
    const onCanvas = count > MOST_SVG_CELLS;
    const pen = onCanvas ? sheet(canvas, size, scale) : null;
    canvas.hidden = !onCanvas;
    for (const block of picture.blocks) {
      slot(block);
      if (block.state === "future") continue;
      if (pen) fillCanvas(pen, tile, block, dark);
      else fillSvg(pools, block, dark);
      marks(block);
    }
    for (const { d, kind, state } of picture.paths) pools.paths.next({ d, class: `sq-path sq-${kind} sq-${state ?? "past"}` });
    for (const label of picture.labels) write(pools.labels, label);
    for (const pool of Object.values(pools)) pool.done();
  }

  function slot({ x, y, rows, cols, cell, state }) {
    const [width, height] = [cols * cell[0], rows * cell[1]];
    pools.slots.next({ x: x - 1.5, y: y - 1.5, width: width + 3, height: height + 3, rx: 4, class: `sq-slot sq-${state}` });
  }

  function marks(block) {
    block.marks?.forEach((on, i) => on && pools.marks.next({ ...box(block, i, 1.5), rx: 2, class: "sq-mark" }));
  }

  function focus(block, i) {
    if (block) set(ring, { ...box(block, i, Math.min(...block.cell) < 16 ? -2.5 : 0), rx: 3, class: "sq-ring" });
    else ring.setAttribute("class", "sq-none");
  }

  return { canvas, drawing, paint, focus };
}

const set = (node, attributes) => Object.entries(attributes).forEach(([name, value]) => node.setAttribute(name, value));

function box({ x, y, cols, cell }, i, inset) {
  return {
    x: x + (i % cols) * cell[0] + inset,
    y: y + Math.floor(i / cols) * cell[1] + inset,
    width: cell[0] - 2 * inset,
    height: cell[1] - 2 * inset,
  };
}

const gap = ({ cell }) => (Math.min(...cell) >= 8 ? 1 : 0);

function fillSvg({ cells, numbers }, block, dark) {
  const { css, ink } = table(block.ramp, dark);
  const state = `sq-${block.state}`;
  for (let i = 0; i < block.data.length; i++) {
    const at = shade(block.ramp, block.data[i], block.max);
    cells.next({ ...box(block, i, gap(block) / 2), rx: block.numbers ? 2 : 0, fill: at < 0 ? "none" : css[at], class: `sq-cell ${state}` });
    if (!block.numbers) continue;
    const [x, y] = centre(block, i);
    const node = numbers.next({ x, y: y + 4, fill: at < 0 ? "currentColor" : ink[at], class: `sq-number ${state}` });
    const text = brief(block.data[i]);
    if (node.text !== text) node.textContent = node.text = text;
  }
}

function sheet(canvas, [width, height], scale) {
  const sharp = globalThis.devicePixelRatio || 1;
  const [w, h] = [Math.round(width * sharp), Math.round(height * sharp)];
  if (canvas.width !== w || canvas.height !== h) Object.assign(canvas, { width: w, height: h });
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  const pen = canvas.getContext("2d");
  pen.setTransform(1, 0, 0, 1, 0, 0);
  pen.clearRect(0, 0, w, h);
  pen.setTransform(scale * sharp, 0, 0, scale * sharp, 0, 0);
  pen.imageSmoothingEnabled = false;
  return pen;
}

// One pixel per cell, then one enlarged copy of the whole block: thousands of cells cost a few calls.
function fillCanvas(pen, tile, block, dark) {
  const { rows, cols, data } = block;
  if (tile.width !== cols || tile.height !== rows) Object.assign(tile, { width: cols, height: rows });
  const brush = tile.getContext("2d", { willReadFrequently: true });
  const image = brush.createImageData(cols, rows);
  words(new Uint32Array(image.data.buffer), data, block, dark);
  brush.putImageData(image, 0, 0);
  const [width, height] = [cols * block.cell[0], rows * block.cell[1]];
  pen.drawImage(tile, block.x, block.y, width, height);
  if (!gap(block)) return;
  for (let col = 1; col < cols; col++) pen.clearRect(block.x + col * block.cell[0] - 0.5, block.y, 1, height);
  for (let row = 1; row < rows; row++) pen.clearRect(block.x, block.y + row * block.cell[1] - 0.5, width, 1);
}

const SIZES = { lane: 16, time: 13.5, small: 11.5, token: 14, ask: 24 };

function write(pool, { x, y, text, kind = "small", anchor = "middle", state = "past" }) {
  const size = SIZES[kind] ?? 12;
  const node = pool.next({ x, y, "text-anchor": anchor, "font-size": size, class: `sq-label sq-${kind} sq-${state}` });
  if (node.text === text) return;
  node.text = text;
  let shift = 0;
  const spans = pieces(text).map(([tag, part]) => {
    const level = tag === "sub" ? size * 0.22 : tag === "sup" ? -size * 0.35 : 0;
    const span = svg("tspan", { dy: level - shift, "font-size": tag ? size * 0.76 : size }, part);
    shift = level;
    return span;
  });
  node.replaceChildren(...spans);
}

/** A straight arrow: its shaft and its open head. */
export function arrow(x1, y1, x2, y2, state, head = 5.5) {
  const angle = Math.atan2(y2 - y1, x2 - x1);
  const [a, b] = [2.6, -2.6].map((turn) => point(x2 + head * Math.cos(angle + turn), y2 + head * Math.sin(angle + turn)));
  return [
    { d: `M${point(x1, y1)}L${point(x2, y2)}`, kind: "flow", state },
    { d: `M${a}L${point(x2, y2)}L${b}`, kind: "head", state },
  ];
}

const point = (x, y) => `${x.toFixed(1)} ${y.toFixed(1)}`;

/** What a screen reader hears of a cell. */
export const spoken = (block, i) => [block.name(i), ...block.explain(i)].map(plain).join(". ");

/** Which of `total` columns to show when only `room` fit: the current one a little right of the middle. */
export function windowed(current, total, room) {
  const count = Math.max(1, Math.min(total, Math.floor(room)));
  const first = Math.min(total - count, Math.max(0, current - Math.floor(count * 0.55)));
  return { first, count };
}
