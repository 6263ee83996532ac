// The pure parts of the core: keys, numbers, colours, views into the buffer, finding cells.

import assert from "node:assert/strict";
import test from "node:test";
import { ink, luminance, shade, table } from "../../../seqlib/widgets/static/colour.js";
import { brief, number, pieces, plain, plus, products } from "../../../seqlib/widgets/static/dom.js";
import { clamp, meaning, passes } from "../../../seqlib/widgets/static/keys.js";
import { arrow, entrance, hit, neighbour, spoken, windowed } from "../../../seqlib/widgets/static/picture.js";
import { column, decode } from "../../../seqlib/widgets/static/tensors.js";

const at = (step, more) => ({ step, count: 3, ...more });

test("arrows walk and stay at the ends", () => {
  assert.deepEqual(meaning("ArrowRight", at(0)), { do: "go", step: 1 });
  assert.deepEqual(meaning("ArrowRight", at(2)), { do: "stay" });
  assert.deepEqual(meaning("ArrowLeft", at(0)), { do: "stay" });
  assert.deepEqual(meaning("Home", at(2)), { do: "go", step: 0 });
  assert.deepEqual(meaning("End", at(0)), { do: "go", step: 2 });
});

test("a remote walks to the ends and then reaches the slide", () => {
  assert.deepEqual(meaning("PageDown", at(1)), { do: "go", step: 2 });
  assert.equal(meaning("PageDown", at(2)), null);
  assert.equal(meaning("PageUp", at(0)), null);
  assert.ok(passes({ key: "PageDown" }));
});

test("an open prediction is revealed before the next step", () => {
  for (const key of ["ArrowRight", "PageDown", "Enter"]) assert.deepEqual(meaning(key, at(1, { asking: true })), { do: "reveal" });
  assert.deepEqual(meaning("PageDown", at(2, { asking: true })), { do: "reveal" });
});

test("inside the cells arrows move the focus, and Escape leaves one level at a time", () => {
  assert.deepEqual(meaning("ArrowRight", at(0, { inside: true })), { do: "move", by: [1, 0] });
  assert.deepEqual(meaning("Escape", at(0, { inside: true })), { do: "outside" });
  assert.deepEqual(meaning("Escape", at(0)), { do: "leave" });
});

test("combinations and Tab stay with the host, bare letters do not", () => {
  assert.ok(passes({ key: "s", ctrlKey: true }) && passes({ key: "Tab" }) && passes({ key: "Enter", shiftKey: true }));
  assert.ok(!passes({ key: "x" }) && !passes({ key: "Delete" }));
});

test("a step from anywhere lands inside the recording", () => {
  assert.deepEqual([-4, 1.9, 99, undefined].map((step) => clamp(step, 5)), [0, 1, 4, 0]);
});

test("numbers have a true minus, no negative zero, and powers of ten when tiny", () => {
  assert.equal(number(-0.314), "−0.31");
  assert.deepEqual([-0, 1, -4].map((value) => number(value)), ["0", "1", "−4"]);
  assert.equal(number(0.00012), "1.2·10^{−4}");
  assert.deepEqual([NaN, Infinity, -Infinity].map((value) => number(value)), ["NaN", "∞", "−∞"]);
  assert.deepEqual([plus(-0.5), plus(0)], ["− 0.50", "+ 0"]);
});

test("in a cell a small number does not look like zero", () => {
  assert.deepEqual([0, -0, 1, -0.0012, 0.333, 12.345, 123.4, 4321].map(brief), ["0", "0", "1", "−1e−3", "0.33", "12.3", "123", "4e3"]);
});

test("formulas split into plain, sub and superscript", () => {
  assert.deepEqual(pieces("h_{12} = x_t^2"), [["", "h"], ["sub", "12"], ["", " = x"], ["sub", "t"], ["sup", "2"]]);
  assert.equal(plain("h_{12}[0]"), "h12[0]");
});

test("a long sum shows its largest terms and says how many are left out", () => {
  assert.equal(products([1, -2], [0.5, -0.25]), "1·0.50 − 2·(−0.25)");
  const text = products(Float32Array.from({ length: 64 }, (_, i) => i), new Float32Array(64).fill(1));
  assert.ok(text.startsWith("63·1 + 62"));
  assert.ok(text.endsWith("(57 smaller terms)"));
  const oneHot = Float32Array.from({ length: 28 }, (_, i) => Number(i === 3));
  assert.equal(products(new Float32Array(28).fill(0.5), oneHot), "0.50·1 (all others are 0)");
});

test("decoded tensors are views into the one buffer, also when it starts at an odd byte", () => {
  const meta = { a: { dtype: "f4", shape: [2, 3], offset: 0 }, b: { dtype: "u1", shape: [2], offset: 24 } };
  const buffer = new ArrayBuffer(28);
  new Float32Array(buffer, 0, 6).set([1, 2, 3, 4, 5, 6]);
  const { a, b } = decode(meta, new DataView(buffer));
  assert.deepEqual([...a.row(1)], [4, 5, 6]);
  assert.equal(a.data.buffer, buffer);
  assert.equal(b.row(0).buffer, buffer);
  assert.deepEqual([...column(a, 1)], [2, 5]);
  const odd = new Uint8Array(29);
  odd.set(new Uint8Array(buffer), 1);
  assert.deepEqual([...decode(meta, new DataView(odd.buffer, 1)).a.row(0)], [1, 2, 3]);
});

test("ink on every colour of every ramp has a contrast of at least 4.5 : 1", () => {
  for (const ramp of ["signed", "gradient", "amount"]) for (const dark of [false, true]) for (const rgb of table(ramp, dark).rgb) {
    const [paper, text] = [luminance(rgb), ink(rgb) === "#000" ? 0 : 1];
    assert.ok((Math.max(paper, text) + 0.05) / (Math.min(paper, text) + 0.05) >= 4.5, `${ramp} ${rgb}`);
  }
});

test("the ends of a ramp are told apart without hue, by lightness against the middle", () => {
  for (const ramp of ["signed", "gradient"]) for (const dark of [false, true]) {
    const [low, middle, high] = [0, 128, 255].map((i) => luminance(table(ramp, dark).rgb[i]));
    assert.ok(Math.abs(low - middle) > 0.3 && Math.abs(high - middle) > 0.3);
  }
});

test("values outside the range take the last colour, and NaN takes none", () => {
  assert.deepEqual([-9, 0, 9, Infinity].map((value) => shade("signed", value, 1)), [0, 128, 255, 255]);
  assert.equal(shade("signed", NaN, 1), -1);
});

const block = (id, x, y, size, state = "past") => ({
  id, x, y, rows: size, cols: 1, cell: [40, 20], data: new Float32Array(size), state,
  name: (i) => `${id}_1[${i}]`, explain: (i) => [`${id}_1[${i}] = 0`],
});
const picture = { blocks: [block("a", 0, 0, 2), block("b", 100, 0, 2, "now"), block("c", 200, 0, 2, "future")] };

test("a point finds its cell, but not in a block that is still to come", () => {
  assert.deepEqual(hit(picture, 5, 25), { id: "a", i: 1 });
  assert.equal(hit(picture, 60, 5), null);
  assert.equal(hit(picture, 205, 5), null);
});

test("the focus enters at what happens now and moves inside and across blocks", () => {
  assert.deepEqual(entrance(picture), { id: "b", i: 0 });
  assert.deepEqual(neighbour(picture, { id: "a", i: 0 }, [0, 1]), { id: "a", i: 1 });
  assert.deepEqual(neighbour(picture, { id: "a", i: 1 }, [1, 0]), { id: "b", i: 1 });
  assert.deepEqual(neighbour(picture, { id: "b", i: 1 }, [1, 0]), { id: "b", i: 1 });
});

test("a cell speaks its name and its equation", () => {
  assert.equal(spoken(picture.blocks[0], 1), "a1[1]. a1[1] = 0");
});

test("a window keeps the current column in view and never leaves the recording", () => {
  for (let now = 0; now < 50; now++) {
    const { first, count } = windowed(now, 50, 7.5);
    assert.ok(count === 7 && first >= 0 && first + count <= 50 && now >= first && now < first + count);
  }
  assert.deepEqual(windowed(2, 3, 99), { first: 0, count: 3 });
});

test("an arrow is a shaft and a head that share their tip", () => {
  const [shaft, head] = arrow(0, 0, 10, 0, "now");
  assert.ok(shaft.d.endsWith("L10.0 0.0") && head.d.includes("L10.0 0.0"));
});
