// The colour bars beside the title: what a colour means, in numbers.

import { formula, html, number } from "./dom.js";
import { table } from "./colour.js";

/** [{ramp, max, text}] -> one small labelled bar each. */
export function legend(entries, dark) {
  return entries.map(({ ramp, max, text }) => {
    const { css } = table(ramp, dark);
    const stops = css.filter((_, i) => i % 15 === 0).join(",");
    const low = ramp === "amount" ? 0 : -max;
    return html("span", { class: "sq-scale" },
      html("span", { class: "sq-what" }, formula(text)), formula(number(low, 1)),
      html("i", { class: "sq-ramp", style: `background:linear-gradient(90deg,${stops})` }), formula(number(max, 1)));
  });
}
