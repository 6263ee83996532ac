// What each key means: a pure function, so that it is tested without a page.

export const clamp = (step, count) => Math.min(count - 1, Math.max(0, Math.trunc(step) || 0));

const MOVES = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const STAY = { do: "stay" };

/**
 * The meaning of `key`, or null when the host should have it.
 *
 * A remote sends PageDown and PageUp: they walk the stepper, and past its ends they reach the slide.
 * `asking` is true while a prediction is open: the next step forward reveals it instead.
 */
export function meaning(key, { step, count, inside = false, asking = false }) {
  if (key === "PageDown" || (key === "ArrowRight" && !inside)) {
    if (asking) return { do: "reveal" };
    if (step < count - 1) return { do: "go", step: step + 1 };
    return key === "PageDown" ? null : STAY;
  }
  if (key === "PageUp" || (key === "ArrowLeft" && !inside)) {
    if (step > 0) return { do: "go", step: step - 1 };
    return key === "PageUp" ? null : STAY;
  }
  if (inside && MOVES[key]) return { do: "move", by: MOVES[key] };
  switch (key) {
    case "Home": return { do: "go", step: 0 };
    case "End": return { do: "go", step: count - 1 };
    case " ": return { do: "play" };
    case "Enter": return asking ? { do: "reveal" } : { do: inside ? "outside" : "inside" };
    case "Escape": return { do: inside ? "outside" : "leave" };
    case "f": return { do: "full" };
    default: return null;
  }
}

/** Keys that stay with the host: combinations, moving on with Tab, running a cell, function keys, a remote at the end. */
export const passes = ({ key, ctrlKey, metaKey, altKey, shiftKey }) =>
  ctrlKey || metaKey || altKey || (shiftKey && key === "Enter") || /^(Tab|F\d+|PageUp|PageDown)$/.test(key);
