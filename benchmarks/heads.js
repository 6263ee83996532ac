// A heavy picture for the benchmark: twelve heads of 64 by 64 weights, one set for each step.

import { stepper } from "../seqlib/widgets/static/core.js";

const [HEADS, SIZE, CELL, GAP, ACROSS] = [12, 64, 3, 8, 6];

export function compose({ weights }) {
  return (step) => {
    const all = weights.row(step);
    const pitch = SIZE * CELL + GAP;
    const blocks = Array.from({ length: HEADS }, (_, head) => ({
      id: `head ${head}`, x: (head % ACROSS) * pitch, y: Math.floor(head / ACROSS) * pitch, rows: SIZE, cols: SIZE,
      cell: [CELL, CELL], data: all.subarray(head * SIZE * SIZE, (head + 1) * SIZE * SIZE), ramp: "amount", max: 0.2,
      state: "now", name: (i) => `head ${head}, cell ${i}`, explain: () => [`head ${head}`],
    }));
    return { width: ACROSS * pitch, height: (HEADS / ACROSS) * pitch, blocks, paths: [], labels: [], explain: [] };
  };
}

export default { render: (context) => stepper(context, compose) };
