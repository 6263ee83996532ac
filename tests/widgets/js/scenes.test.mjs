// The pictures of the steppers are plain data, so what they show is tested without a page.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { compose as trellis } from "../../../seqlib/widgets/ctc_trellis.js";
import { compose as network } from "../../../seqlib/widgets/recurrent.js";
import { decode } from "../../../seqlib/widgets/static/tensors.js";

// Written by test_modules.py from real recordings; without it these tests have nothing to draw.
const file = process.env.SEQLIB_STEPPERS;
const states = file ? JSON.parse(readFileSync(file, "utf-8")) : {};

function scene(name, compose) {
  const { frames, meta, labels } = states[name];
  const bytes = Uint8Array.from(Buffer.from(frames, "base64"));
  return compose(decode(meta, new DataView(bytes.buffer)), labels);
}

const find = (picture, id) => picture.blocks.find((block) => block.id === id);

test("what is still to come is an empty slot", { skip: !file }, () => {
  const picture = scene("recurrent", network)(4, 1200);
  assert.equal(find(picture, "h0").state, "past");
  assert.equal(find(picture, "h1").state, "now");
  assert.equal(find(picture, "o1").state, "future");
});

test("the equation of a state gives the recorded value back", { skip: !file }, () => {
  const picture = scene("recurrent", network)(4, 1200);
  const lines = find(picture, "h1").explain(2);
  const value = find(picture, "h1").data[2];
  assert.ok(lines.at(-1).endsWith(`= ${value.toFixed(4).replace("-", "−")}`), lines.at(-1));
  const [memory, input, bias] = lines.at(-1).match(/tanh\((.*)\) =/)[1].replaceAll("−", "-").replace(/([+-]) /g, " $1").trim().split(/ +/).map(Number);
  assert.ok(Math.abs(Math.tanh(memory + input + bias) - value) < 0.02);
});

test("backward, the gradient is drawn from the right and the rest stays forward", { skip: !file }, () => {
  const draw = scene("recurrent", network);
  const picture = draw(18 + 2, 1200);
  assert.deepEqual([3, 4, 5].map((t) => find(picture, `h${t}`).ramp), ["gradient", "gradient", "gradient"]);
  assert.equal(find(picture, "h2").ramp, "signed");
  assert.equal(find(picture, "h3").state, "now");
});

test("a gradient is what comes through time plus what the loss adds", { skip: !file }, () => {
  const picture = scene("recurrent", network)(18 + 2, 1200);
  const line = find(picture, "h3").explain(1).at(-1).replaceAll("−", "-");
  const [, through, direct, total] = line.match(/^= (\S+) through time (.+) = (\S+)$/).map((part) => Number(part.replace(" ", "")));
  assert.ok(Math.abs(through + direct - total) < 2e-4);
  assert.ok(Math.abs(direct) < 1e-3, "only the last state meets the loss");
});

test("a narrow page shows fewer columns, the current one among them", { skip: !file }, () => {
  const picture = scene("recurrent", network)(16, 360);
  assert.ok(picture.width <= 420 && find(picture, "h5") && !find(picture, "h0"));
});

test("a cell that parts from the reference is marked, entered first, and says what was expected", { skip: !file }, () => {
  const { step } = states.parting;
  const picture = scene("parting", network)(step, 1200);
  assert.deepEqual(picture.entrance, { id: "h2", i: 1 });
  assert.deepEqual([...find(picture, "h2").marks], [0, 1, 0, 0]);
  assert.match(picture.explain.at(-1), /the reference has/);
});

test("two hundred steps and 64 units draw only what fits", { skip: !file }, () => {
  const picture = scene("long", network)(150, 1200);
  assert.ok(picture.blocks.length <= 3 * 10);
  assert.equal(find(picture, "h150").state, "now");
});

test("the trellis draws a skip only between different symbols", { skip: !file }, () => {
  const picture = scene("trellis", trellis)(1, 1200);
  const into = (s) => find(picture, `1 ${s}`).explain(0)[0].match(/\((.*)\)$/)[1].split(" · (").at(-1).split(" + ").length;
  assert.deepEqual([0, 1, 2, 3, 4, 5].map(into), [1, 2, 2, 3, 2, 2]);
});
