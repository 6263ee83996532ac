// The shell of every stepper: transport, keyboard, speech, predictions, full screen, themes.
//
// A stepper module gives `stepper` one function, compose(tensors, labels) -> scene, where
// scene(step, width) -> picture is plain data (see picture.js). Everything else is here.

import { formula, html, svg } from "./dom.js";
import { luminance } from "./colour.js";
import { clamp, meaning, passes } from "./keys.js";
import { entrance, find, hit, neighbour, painter, spoken } from "./picture.js";
import { legend } from "./legend.js";
import { decode } from "./tensors.js";

const SPEEDS = [0.5, 1, 2, 4];
const MOST_OF_WINDOW = 0.58;
const SMALLEST = 0.7;
const LARGEST = 3;
const BEAT_MS = 1000;
const SAVE_MS = 120;
const PRESENTING = '[data-jp-deck-mode="presenting"], [data-presenting]';
const DATA = ["frames", "meta", "labels", "texts", "questions", "title"];

const ICONS = {
  first: "M4 3v10M13 3L6.5 8L13 13z",
  back: "M11 3L4.5 8L11 13z",
  play: "M4.5 2.5L13 8L4.5 13.5z",
  pause: "M5 3v10M11 3v10",
  forward: "M5 3L11.5 8L5 13z",
  last: "M12 3v10M3 3L9.5 8L3 13z",
  full: "M2.5 6V2.5H6M10 2.5h3.5V6M13.5 10v3.5H10M6 13.5H2.5V10",
};

/** Mount a stepper; returns the function that takes it down. */
export function stepper({ model, el, signal }, compose) {
  const view = shell(model, { go, play, full: toggleFull, reveal });
  const paper = painter();
  const state = { focus: null, inside: false, timer: 0, saving: 0, speed: 1, asking: false, dark: null };
  let scene, picture, scale;
  view.paper.append(paper.canvas, paper.drawing);
  el.append(view.root);

  const texts = () => model.get("texts");
  const step = () => clamp(model.get("step"), texts().length);

  function go(wanted) {
    const next = clamp(wanted, texts().length);
    if (next === model.get("step")) return show();
    model.set("step", next);
    save();
  }

  // Many quick key presses become one message to the kernel.
  function save() {
    clearTimeout(state.saving);
    state.saving = setTimeout(() => model.save_changes(), SAVE_MS);
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
    model.set("guesses", { ...model.get("guesses"), [step()]: choice });
    save();
    show();
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
    const box = view.stage.getBoundingClientRect();
    const width = (view.stage.clientWidth || 720) - 2;
    const drawn = state.asking ? Math.max(0, step() - 1) : step();
    state.dark = isDark(view.root);
    picture = scene(drawn, width);
    scale = fit(full, box.height - 4, width);
    if (scale !== 1) picture = scene(drawn, width / scale);
    scale = Math.max(0.5, Math.min(scale, width / picture.width));
    if (state.asking) addQuestionMarks(scene(step(), width / scale));
    paper.paint(picture, scale, state.dark);
    view.legend.replaceChildren(...legend(picture.legend ?? [], state.dark));
    if (!find(picture, state.focus)) state.focus = state.inside ? entrance(picture) : null;
    explain();
  }

  // Inline a picture only shrinks; on the full screen it grows, but not so far that few columns are left.
  function fit(full, high, width) {
    if (!full) return Math.min(1, Math.max(SMALLEST, (innerHeight * MOST_OF_WINDOW) / picture.height));
    const most = Math.min(LARGEST, high / picture.height);
    return Math.min(most, Math.max(most * SMALLEST, width / (picture.whole ?? picture.width)));
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
    view.equation.replaceChildren(...lines.map((line) => html("div", {}, formula(line))));
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
    draw();
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
    const found = hit(picture, (event.clientX - box.left) / scale, (event.clientY - box.top) / scale);
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
  const repaint = () => scene && view.root.isConnected && draw();
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
  for (const name of ["change:step", "change:guesses"]) model.on(name, show);
  rebuild();

  function destroy() {
    pause();
    removeEventListener("keydown", onRemote, true);
    for (const watcher of watchers) watcher.disconnect();
    scheme.removeEventListener("change", theme);
    document.removeEventListener("fullscreenchange", repaint);
    for (const name of data) model.off(name, rebuild);
    for (const name of ["change:step", "change:guesses"]) model.off(name, show);
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

const icon = (name) => svg("svg", { viewBox: "0 0 16 16", class: name === "full" ? "sq-icon sq-outline" : "sq-icon", "aria-hidden": "true" }, svg("path", { d: ICONS[name] }));

// The elements of one stepper, and how they change.
function shell(model, { go, play, full, reveal }) {
  const at = () => model.get("step");
  const last = () => model.get("texts").length - 1;
  const button = (name, label, onclick) =>
    html("button", { type: "button", class: "sq-button", "aria-label": label, title: label, onclick }, icon(name));
  const playButton = button("play", "Play", play);
  const range = html("input", { type: "range", class: "sq-range", min: 0, step: 1, oninput: (event) => go(Number(event.target.value)) });
  const speed = html("select", { class: "sq-speed", "aria-label": "Speed", title: "Speed" },
    SPEEDS.map((value) => html("option", { value, selected: value === 1 }, `${value}×`)));
  const counter = html("span", { class: "sq-counter", "aria-hidden": "true" });
  const title = html("span", { class: "sq-title" });
  const said = html("div", { class: "sq-said", role: "status", "aria-live": "polite", "aria-atomic": "true" });
  const speech = html("div", { class: "sq-speech", "aria-live": "assertive" });
  const equation = html("div", { class: "sq-equation" });
  const scale = html("div", { class: "sq-legend" });
  const choices = html("div", { class: "sq-choices" });
  const paper = html("div", { class: "sq-paper" });
  const stage = html("div", { class: "sq-stage", tabindex: 0, role: "application", "aria-roledescription": "stepper" }, paper);
  const bar = html("div", { class: "sq-bar", role: "toolbar" },
    button("first", "First step", () => go(0)), button("back", "Back", () => go(at() - 1)), playButton,
    button("forward", "Forward", () => go(at() + 1)), button("last", "Last step", () => go(last())),
    range, counter, speed, button("full", "Full screen", full));
  const root = html("section", { class: "seqlib-stepper" },
    html("div", { class: "sq-head" }, title, scale), stage,
    html("div", { class: "sq-talk" }, html("div", { class: "sq-words" }, said, choices), equation), bar, speech);

  function name(text, count) {
    title.textContent = text;
    range.max = count - 1;
    root.setAttribute("aria-label", text);
    bar.setAttribute("aria-label", `${text}: controls`);
    range.setAttribute("aria-label", `${text}: step`);
    stage.setAttribute("aria-label", `${text}. Arrow keys step, space plays, Enter goes into the cells, Escape leaves.`);
  }

  function say(step, texts, question, guess) {
    root.dataset.step = step;
    root.classList.toggle("sq-asking", Boolean(question));
    counter.textContent = `${step + 1} / ${texts.length}`;
    range.value = step;
    range.setAttribute("aria-valuetext", `${step + 1} of ${texts.length}`);
    const text = question ? question.question : texts[step];
    const answered = guess ? [html("span", { class: "sq-guess" }, "You said: ", formula(guess), ".")] : [];
    said.replaceChildren(...(question ? [html("b", {}, "Predict. ")] : answered), ...formula(text));
    choices.replaceChildren(...(question ? [...(question.choices ?? []), null].map(choice) : []));
  }

  const choice = (text) => html("button", { type: "button", class: text === null ? "sq-choice sq-reveal" : "sq-choice", onclick: () => reveal(text ?? "") },
    text === null ? "Reveal" : formula(text));

  function playing(on) {
    playButton.replaceChildren(icon(on ? "pause" : "play"));
    for (const key of ["aria-label", "title"]) playButton.setAttribute(key, on ? "Pause" : "Play");
    said.setAttribute("aria-live", on ? "off" : "polite");
  }

  const isFull = () => root.classList.contains("sq-full");
  function toggleFull() {
    const on = root.classList.toggle("sq-full");
    if (on) root.requestFullscreen?.().catch(() => {});
    else if (document.fullscreenElement === root) document.exitFullscreen();
  }
  // Escape ends the browser's own full screen without a key event.
  root.addEventListener("fullscreenchange", () => {
    if (document.fullscreenElement !== root) root.classList.remove("sq-full");
  });

  return { root, stage, paper, equation, speech, speed, legend: scale, name, say, playing, isFull, toggleFull };
}
