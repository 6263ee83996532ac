// The trellis of CTC: frames to the right, the target with its blanks downwards.

import { stepper } from "./static/core.js";
import { number } from "./static/dom.js";
import { arrow, windowed } from "./static/picture.js";

const [LEFT, TOP, CELL, PITCH] = [40, 26, [50, 24], [88, 34]];

export function compose({ alpha, beta, y, share }, { path, skips, total }) {
  const [times, states] = alpha.shape;
  const tables = { alpha: logs(alpha), beta: logs(beta), share };
  return (step, width) => {
    const kind = step < times ? "alpha" : step < 2 * times ? "beta" : "share";
    const now = { alpha: step, beta: 2 * times - 1 - step, share: times - 1 }[kind];
    const { first, count } = windowed(now, times, (width - LEFT) / PITCH[0]);
    const left = (t) => LEFT + (t - first) * PITCH[0];
    const middle = (s) => TOP + s * PITCH[1] + CELL[1] / 2;
    const when = (t) => (kind === "share" ? "past" : t === now ? "now" : t < now === (kind === "alpha") ? "past" : "future");
    const picture = { width: LEFT + count * PITCH[0], height: TOP + states * PITCH[1], blocks: [], paths: [], labels: [] };
    picture.whole = LEFT + times * PITCH[0];
    for (let s = 0; s < states; s++) picture.labels.push({ x: 16, y: middle(s) + 5, text: path[s], kind: "token" });
    for (let t = first; t < first + count; t++) {
      const state = when(t);
      picture.labels.push({ x: left(t) + CELL[0] / 2, y: 15, text: `t = ${t + 1}`, kind: "time", state });
      for (let s = 0; s < states; s++) {
        picture.blocks.push({
          id: `${t} ${s}`, x: left(t), y: middle(s) - CELL[1] / 2, rows: 1, cols: 1, cell: CELL, numbers: true, state,
          data: tables[kind].row(t).subarray(s, s + 1), max: kind === "share" ? 1 : LOWEST, ramp: "amount",
          name: () => `${NAMES[kind]}_{${t + 1}}(${path[s]})`, explain: () => explain(kind, t, s),
        });
        for (const from of sources(s)) {
          if (t === first) continue;
          const ends = [left(t - 1) + CELL[0] + 4, middle(from), left(t) - 4, middle(s)];
          const back = kind === "beta" && when(t - 1) !== "future";
          const at = kind === "share" ? "past" : back ? when(t - 1) : kind === "beta" ? "future" : state;
          picture.paths.push(...(back ? arrow(ends[2], ends[3], ends[0], ends[1], at) : arrow(...ends, at)));
        }
      }
    }
    picture.legend = [{ ramp: "amount", max: kind === "share" ? 1 : LOWEST, text: LEGEND[kind] }];
    picture.explain = RULES[kind];
    return picture;
  };

  function sources(s) {
    return [s, s - 1, ...(skips[s] ? [s - 2] : [])].filter((from) => from >= 0);
  }

  function explain(kind, t, s) {
    const own = `y_{${t + 1}}(${path[s]}) = ${number(Math.exp(y.row(t)[s]), 4)}`;
    const [a, b] = [alpha, beta].map((table) => number(Math.exp(table.row(t)[s]), 4));
    if (kind === "share") return [`${a} · ${b} / (y · p(l))`, own, `= ${number(share.row(t)[s], 4)} of p(l) = ${number(Math.exp(total), 4)}`];
    if (kind === "beta") return [`β_{${t + 1}}(${path[s]}) = ${b}`, own];
    const terms = t === 0 ? ["start"] : sources(s).map((from) => number(Math.exp(alpha.row(t - 1)[from]), 4));
    return [`α_{${t + 1}}(${path[s]}) = y_{${t + 1}}(${path[s]}) · (${terms.join(" + ")})`, own, `= ${a}`];
  }
}

// Probabilities of long paths are tiny: cells show how many powers of ten are lost.
const LOWEST = 8;
const NAMES = { alpha: "α", beta: "β", share: "share" };
const LEGEND = { alpha: "−log_{10} α_{t}", beta: "−log_{10} β_{t}", share: "α β / (y · p(l))" };
const RULES = {
  alpha: ["α_{t}(s) = y_{t}(s) · (α_{t−1}(s) + α_{t−1}(s−1) + skip)", "A blank may be skipped between two different symbols."],
  beta: ["β_{t}(s) = y_{t}(s) · (β_{t+1}(s) + β_{t+1}(s+1) + skip)", "The same sum from the end."],
  share: ["How much of p(l) goes through each place, at each frame summing to 1."],
};
const logs = ({ shape: [, width], data }) => {
  const made = data.map((value) => -value / Math.LN10);
  return { row: (t) => made.subarray(t * width, (t + 1) * width) };
};

export default { render: (context) => stepper(context, compose) };
