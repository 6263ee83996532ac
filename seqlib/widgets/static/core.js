// The shell of every stepper: transport, keyboard, speech, predictions, full screen, themes.
//
// A stepper module gives `stepper` one function, compose(tensors, labels) -> scene, where
// scene(step, width) -> picture is plain data (see picture.js). Everything else is here.

import { formula, html } from "./dom.js";
import { luminance } from "./colour.js";
import { clamp, meaning, passes } from "./keys.js";
import { entrance, find, hit, neighbour, painter, spoken } from "./picture.js";
import { legend } from "./legend.js";
import { shell } from "./shell.js";
import { decode } from "./tensors.js";

const MOST_OF_WINDOW = 0.58;
const SMALLEST = 0.7;
const LARGEST = 3;
const NARROWEST = 0.85;
const BEAT_MS = 1000;
const SAVE_MS = 120;
const PRESENTING = '[data-jp-deck-mode="presenting"], [data-presenting]';
const DATA = ["frames", "meta", "labels", "texts", "questions", "title"];

/** Mount a stepper; returns the function that takes it down. */
export function stepper({ model, el, signal }, compose) {
  const view = shell(model, { go, play, full: toggleFull, reveal });
  const paper = painter();
  const state = { focus: null, inside: false, timer: 0, saving: 0, unsaved: {}, asking: false, dark: false, size: [720, 480] };
  let scene, picture, scale;
  view.paper.append(paper.canvas, paper.drawing);
  el.append(view.root);

  const texts = () => model.get("texts");
  const step = () => clamp(model.get("step"), texts().length);

  function go(wanted) {
    const next = clamp(wanted, texts().length);
    if (next === model.get("step")) return show();
    keep("step", next);
  }

  // Many quick key presses become one message to the kernel.
  function keep(name, value) {
    state.unsaved[name] = value;
    clearTimeout(state.saving);
    state.saving = setTimeout(() => ((state.unsaved = {}), model.save_changes()), SAVE_MS);
    model.set(name, value);
  }

  // A slow kernel answers to an older message: what was done here since then must not be taken back.
  function changed() {
    const lost = Object.keys(state.unsaved).find((name) => model.get(name) !== state.unsaved[name]);
    if (lost) model.set(lost, state.unsaved[lost]);
    else show();
  }

  function play() {
    if (state.timer) return pause();
    if (step() === texts().length - 1) go(0);
    beat();
    view.playing(true);
  }

  function beat() {
    clearTimeout(state.timer);
    state.timer = setTimeout(() => {
      if (!view.root.isConnected || state.asking || step() >= texts().length - 1) return pause();
      go(step() + 1);
      if (step() >= texts().length - 1) pause();
      else beat();
    }, BEAT_MS / Number(view.speed.value));
  }

  function pause() {
    clearTimeout(state.timer);
    state.timer = 0;
    view.playing(false);
  }

  function reveal(choice = "") {
    keep("guesses", { ...model.get("guesses"), [step()]: choice });
    view.stage.focus({ preventScroll: true });
  }

  function show() {
    const now = step();
    const question = model.get("questions")?.[now];
    const guess = model.get("guesses")?.[now];
    state.asking = Boolean(question) && guess === undefined;
    draw();
    view.say(now, texts(), state.asking ? question : null, guess);
  }

  // Until a prediction is made the picture stays one step behind.
  function draw() {
    const full = view.isFull();
    const width = state.size[0] - 2;
    const drawn = state.asking ? Math.max(0, step() - 1) : step();
    picture = scene(drawn, width);
    scale = fit(full, state.size[1] - 4, width);
    if (scale !== 1) picture = scene(drawn, width / scale);
    scale = Math.max(0.5, Math.min(scale, width / picture.width));
    if (state.asking) addQuestionMarks(scene(step(), width / scale));
    paper.paint(picture, scale, state.dark);
    showLegend();
    if (!find(picture, state.focus)) state.focus = state.inside ? entrance(picture) : null;
    explain();
  }

  function showLegend() {
    const key = JSON.stringify([picture.legend ?? [], state.dark]);
    if (key !== state.legend) view.legend.replaceChildren(...legend(picture.legend ?? [], state.dark));
    state.legend = key;
  }

  // Inline a picture only shrinks; on the full screen it grows, but not so far that few columns are left.
  function fit(full, high, width) {
    if (!full) return Math.min(1, Math.max(SMALLEST, (innerHeight * MOST_OF_WINDOW) / picture.height));
    const most = Math.min(LARGEST, high / picture.height);
    return Math.min(most, Math.max(most * NARROWEST, width / (picture.whole ?? picture.width)));
  }

  function addQuestionMarks(coming) {
    const hidden = new Set(coming.blocks.filter((block) => block.state === "now").map((block) => block.id));
    for (const { id, x, y, rows, cols, cell } of picture.blocks.filter((block) => hidden.has(block.id))) {
      picture.labels.push({ x: x + (cols * cell[0]) / 2, y: y + (rows * cell[1]) / 2 + 8, text: "?", kind: "ask", state: "now" });
    }
  }

  function explain(aloud = false) {
    const block = find(picture, state.focus);
    paper.focus(block, state.focus?.i);
    const lines = block ? block.explain(state.focus.i) : picture.explain;
    const key = lines.join("\n");
    if (key !== state.lines) view.equation.replaceChildren(...lines.map((line) => html("div", {}, formula(line))));
    state.lines = key;
    if (aloud && block) view.speech.textContent = spoken(block, state.focus.i);
  }

  function inside(on) {
    state.inside = on;
    view.root.classList.toggle("sq-inside", on);
    state.focus = on ? (state.focus ?? entrance(picture)) : null;
    if (on) view.stage.focus({ preventScroll: true });
    else view.speech.textContent = "Back to the steps.";
    explain(on);
  }

  function toggleFull() {
    view.toggleFull();
    repaint();
  }

  function leave() {
    if (view.isFull()) return toggleFull();
    const host = view.root.parentElement?.closest("[tabindex]");
    if (host) host.focus({ preventScroll: true });
    else document.activeElement?.blur();
  }

  const act = {
    stay: () => {},
    go: ({ step: to }) => (pause(), go(to)),
    reveal: () => reveal(),
    play,
    inside: () => inside(true),
    outside: () => inside(false),
    move: ({ by }) => ((state.focus = neighbour(picture, state.focus, by)), explain(true)),
    leave,
    full: toggleFull,
  };

  // What the stepper does not use stays with it too: a bare letter must not cut the notebook's cell.
  function onKey(event) {
    const native = { SELECT: /./, BUTTON: /^( |Enter)$/ }[event.target.tagName];
    if (native?.test(event.key) && !/^(Page|Escape|Tab)/.test(event.key)) return event.stopPropagation();
    const done = event.ctrlKey || event.metaKey || event.altKey ? null : meaning(event.key, situation());
    if (done) event.preventDefault();
    else if (passes(event)) return;
    event.stopPropagation();
    if (done) act[done.do](done);
  }

  // While slides are shown, a remote reaches the stepper on the slide without a click into it.
  function onRemote(event) {
    if (!/^Page(Up|Down)$/.test(event.key) || view.root.contains(event.target)) return;
    if (!view.root.closest(PRESENTING) || !onScreen(view.root)) return;
    const done = meaning(event.key, situation());
    if (!done) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    act[done.do](done);
  }

  const situation = () => ({ step: step(), count: texts().length, inside: state.inside, asking: state.asking });

  function onPointer(event) {
    const box = paper.drawing.getBoundingClientRect();
    // A page may enlarge the stepper as a whole, so the drawing's own scale is not all there is.
    const drawn = box.width / picture.width;
    const found = hit(picture, (event.clientX - box.left) / drawn, (event.clientY - box.top) / drawn);
    if (!found && state.inside) return;
    if (found?.id === state.focus?.id && found?.i === state.focus?.i) return;
    state.focus = found;
    explain();
  }

  function rebuild() {
    scene = compose(decode(model.get("meta"), model.get("frames")), model.get("labels"));
    view.name(model.get("title"), texts().length);
    show();
  }

  addEventListener("keydown", onRemote, true);
  // Asking for sizes or colours makes the browser lay out the page: done when they change, not at each step.
  function measure() {
    if (!view.root.isConnected) return;
    state.size = [view.stage.clientWidth || 720, view.stage.clientHeight];
    state.dark = isDark(view.root);
  }

  const repaint = () => (measure(), scene && view.root.isConnected && draw());
  const theme = () => isDark(view.root) !== state.dark && repaint();
  const watchers = [new ResizeObserver(repaint), new MutationObserver(() => setTimeout(theme, 50))];
  watchers[0].observe(view.stage);
  for (const node of [document.body, document.documentElement]) watchers[1].observe(node, { attributes: true });
  const scheme = matchMedia("(prefers-color-scheme: dark)");
  scheme.addEventListener("change", theme);
  document.addEventListener("fullscreenchange", repaint);
  view.root.addEventListener("keydown", onKey);
  paper.drawing.addEventListener("pointermove", onPointer);
  paper.drawing.addEventListener("pointerleave", () => state.inside || ((state.focus = null), explain()));
  const data = DATA.map((key) => `change:${key}`);
  for (const name of data) model.on(name, rebuild);
  for (const name of ["change:step", "change:guesses"]) model.on(name, changed);
  measure();
  rebuild();

  function destroy() {
    pause();
    clearTimeout(state.saving);
    removeEventListener("keydown", onRemote, true);
    for (const watcher of watchers) watcher.disconnect();
    scheme.removeEventListener("change", theme);
    document.removeEventListener("fullscreenchange", repaint);
    for (const name of data) model.off(name, rebuild);
    for (const name of ["change:step", "change:guesses"]) model.off(name, changed);
    view.root.remove();
  }
  signal?.addEventListener("abort", destroy);
  return destroy;
}

function onScreen(root) {
  const { top, bottom, width } = root.getBoundingClientRect();
  return width > 0 && bottom > 0 && top < innerHeight && (root.checkVisibility?.({ visibilityProperty: true }) ?? true);
}

const isDark = (root) => luminance((getComputedStyle(root).color.match(/[\d.]+/g) ?? [0, 0, 0]).slice(0, 3).map(Number)) > 0.35;
