// Slides in the same page: one at a time, made to fit, walked by a remote (PageDown, PageUp).
const main = document.getElementById("lecture");
const cells = [...main.querySelectorAll(".cell")];
const slides = group(cells);
const present = document.getElementById("present");
const SIZE = { width: 1280, height: 720 };
let at = -1;

function group(all) {
  const found = [];
  for (const cell of all) {
    const kind = cell.dataset.slide;
    if (kind === "skip") continue;
    if (kind === "slide" || kind === "subslide" || found.length === 0) found.push([]);
    found.at(-1).push(cell);
  }
  return found;
}

// What the presenter reads on a slide: its own notes, or else the next ones in its section.
function notes(index) {
  for (let i = index; i < slides.length && (i === index || slides[i][0].dataset.slide !== "slide"); i += 1) {
    const own = slides[i].filter((cell) => cell.dataset.slide === "notes");
    if (own.length) return own;
  }
  return [];
}

function heading(index) {
  const first = slides[index][0];
  const before = [...main.querySelectorAll("h1, h2")].filter(
    (one) => first.contains(one) || one.compareDocumentPosition(first) & Node.DOCUMENT_POSITION_FOLLOWING,
  );
  return first.contains(before.at(-1)) ? "" : (before.at(-1)?.textContent ?? "");
}

const fragments = () => slides[at].filter((cell) => cell.dataset.slide === "fragment");
const hidden = () => fragments().filter((cell) => cell.classList.contains("later"));

function show(index, { complete = false } = {}) {
  at = Math.min(slides.length - 1, Math.max(0, index));
  const shown = [...slides[at], ...notes(at)];
  for (const cell of cells) cell.classList.toggle("on-slide", shown.includes(cell));
  for (const cell of fragments()) cell.classList.toggle("later", !complete);
  document.body.classList.add("presenting");
  present.textContent = "Leave the slides";
  counter.textContent = `${at + 1} / ${slides.length}`;
  section.textContent = heading(at);
  history.replaceState(null, "", `#slide-${at + 1}`);
  fit();
  main.focus({ preventScroll: true });
}

function leave() {
  const here = slides[at][0];
  document.body.classList.remove("presenting");
  main.style.zoom = "";
  present.textContent = "Slides";
  at = -1;
  history.replaceState(null, "", "#");
  here.scrollIntoView();
}

// A slide is laid out for 1280 x 720 and enlarged; one that is too tall is set smaller.
function fit() {
  if (at < 0) return;
  const whole = Math.min(innerWidth / SIZE.width, innerHeight / SIZE.height);
  let scale = whole;
  for (let round = 0; round < 16; round += 1) {
    main.style.zoom = scale;  // text is set anew at each size, so only the size that will be shown can be measured
    main.style.width = `${innerWidth / scale}px`;
    main.style.height = `${innerHeight / scale}px`;
    const over = Math.max(main.scrollHeight / main.clientHeight, main.scrollWidth / main.clientWidth);
    if (main.scrollHeight - main.clientHeight <= 1 && main.scrollWidth - main.clientWidth <= 1) break;
    scale /= Math.min(Math.max(over, 1.004), 1.12);
  }
}

// A stepper on the slide takes the key until it has no step left.
function walked(key) {
  const steppers = [...main.querySelectorAll(".on-slide:not(.later) .stepper > section")];
  if (key === "PageUp") steppers.reverse();
  return steppers.some((stepper) => {
    const event = new KeyboardEvent("keydown", { key, cancelable: true });
    stepper.dispatchEvent(event);
    return event.defaultPrevented;
  });
}

function forward() {
  if (walked("PageDown")) return;
  const [next] = hidden();
  if (next) {
    next.classList.remove("later");
    fit();
  } else if (at < slides.length - 1) show(at + 1);
}

function back() {
  if (walked("PageUp")) return;
  const shown = fragments().filter((cell) => !cell.classList.contains("later"));
  if (shown.length) shown.at(-1).classList.add("later");
  else if (at > 0) show(at - 1, { complete: true });
}

const KEYS = {
  PageDown: forward, ArrowRight: forward, " ": forward,
  PageUp: back, ArrowLeft: back,
  Home: () => show(0), End: () => show(slides.length - 1),
  Escape: leave,
  n: () => (document.body.classList.toggle("with-notes"), fit()),
};

document.addEventListener("keydown", (event) => {
  if (at < 0 || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
  if (/^(BUTTON|SUMMARY|SELECT|A)$/.test(event.target.tagName) && event.key === " ") return;
  const act = KEYS[event.key];
  if (!act) return;
  event.preventDefault();
  act();
});

const counter = document.createElement("output");
counter.className = "slide-counter";
counter.setAttribute("aria-label", "Slide");
const section = document.createElement("div");
section.className = "slide-section";
document.body.append(section, counter);
present.title = "PageDown and PageUp walk, n shows the notes, Escape leaves";
present.addEventListener("click", () => (at < 0 ? show(Math.max(0, nearest())) : leave()));
addEventListener("resize", fit);
// Steppers arrive, answers unfold: the slide is fitted again in the next frame.
const sizes = new ResizeObserver(() => requestAnimationFrame(fit));
for (const cell of cells) sizes.observe(cell);

function nearest() {
  return slides.findLastIndex(([first]) => first.getBoundingClientRect().top < innerHeight / 5);
}

const asked = /^#slide-(\d+)$/.exec(location.hash);
if (asked) show(Number(asked[1]) - 1);
