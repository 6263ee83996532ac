// The elements of one stepper, and how they change.

import { formula, html, svg } from "./dom.js";

const SPEEDS = [0.5, 1, 2, 4];
const ICONS = {
  first: "M4 3v10M13 3L6.5 8L13 13z",
  back: "M11 3L4.5 8L11 13z",
  play: "M4.5 2.5L13 8L4.5 13.5z",
  pause: "M5 3v10M11 3v10",
  forward: "M5 3L11.5 8L5 13z",
  last: "M12 3v10M3 3L9.5 8L3 13z",
  full: "M2.5 6V2.5H6M10 2.5h3.5V6M13.5 10v3.5H10M6 13.5H2.5V10",
};

const icon = (name) => svg("svg", { viewBox: "0 0 16 16", class: name === "full" ? "sq-icon sq-outline" : "sq-icon", "aria-hidden": "true" }, svg("path", { d: ICONS[name] }));

/** Build the elements around a drawing: title, stage, words, choices, equation, transport. */
export function shell(model, { go, play, full, reveal }) {
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
