// What the course adds to jupyterlab-slideshow: a slide is made to fit, and a remote sees only what changes.
// JupyterLab loads this file as it is: the object at its end is all that a bundler would have made of it.
(() => {
  const SIZE = { width: 1280, height: 720 };
  const STOPS = ["slide", "subslide", "fragment"];
  const style = new URL("slides.css", document.currentScript.src);
  const footer = Object.assign(document.createElement("div"), { className: "sq-footer", ariaHidden: "true" });
  const aside = Object.assign(document.createElement("aside"), { className: "sq-notes jp-RenderedHTMLCommon", hidden: true });
  const observed = new Set();
  let app, waiting;

  const presenting = () => document.body.dataset.jpDeckMode === "presenting";
  const kind = (cell) => cell?.model.getMetadata("slideshow")?.slide_type;
  const notebook = () => app.shell.currentWidget?.content;
  const stops = (cells) => cells.flatMap((cell, i) => (i === 0 || STOPS.includes(kind(cell)) ? [i] : []));

  // A stop is what a press can change; its first cell of code is made the active one, so that Ctrl+Enter runs it.
  function walk(by) {
    const { widgets: cells, activeCellIndex } = notebook();
    const all = stops(cells);
    const here = all.findLastIndex((stop) => stop <= activeCellIndex);
    const to = all[Math.min(all.length - 1, Math.max(0, here + by))];
    if (all[here] === to) return;
    let part = cells.slice(to, all.find((stop) => stop > to));
    part = part.filter((cell) => kind(cell) !== "notes");
    notebook().mode = "command";
    notebook().deselectAll();
    notebook().activeCellIndex = cells.indexOf(part.find((cell) => cell.model.type === "code") ?? part[0]);
    later();
  }

  // A slide is laid out for 1280 x 720 and enlarged; one that is too tall is set smaller.
  function fit() {
    waiting = null;
    if (!presenting()) return;
    const sheet = document.querySelector(".jp-Deck .jp-Notebook");
    const { clientWidth: width = 0, clientHeight: height = 0 } = sheet?.parentElement ?? {};
    if (!width || !height) return void setTimeout(later, 100); // the slideshow is still arranging the page
    for (const cell of sheet.querySelectorAll(".jp-Cell")) if (!observed.has(cell)) sizes.observe(cell), observed.add(cell);
    let scale = Math.min(innerWidth / SIZE.width, height / SIZE.height);
    for (let round = 0; round < 16; round += 1) {
      sheet.style.setProperty("--sq-zoom", scale); // type is set anew at each size, so only the final size can be measured
      sheet.style.setProperty("--sq-width", `${width / scale}px`);
      sheet.style.setProperty("--sq-height", `${height / scale}px`);
      const over = Math.max(sheet.scrollHeight / sheet.clientHeight, sheet.scrollWidth / sheet.clientWidth);
      if (sheet.scrollHeight - sheet.clientHeight <= 1 && sheet.scrollWidth - sheet.clientWidth <= 1) break;
      scale /= Math.min(Math.max(over, 1.004), 1.12);
    }
    sheet.scrollTop = 0;
    tell();
  }

  const later = () => (waiting ??= requestAnimationFrame(fit));
  const sizes = new ResizeObserver(later);

  // Which slide this is, of how many, in which section; and what the presenter is told about it.
  function tell() {
    const { widgets: cells, activeCellIndex: at } = notebook();
    const slides = stops(cells).filter((stop) => kind(cells[stop]) !== "fragment");
    const here = slides.findLastIndex((stop) => stop <= at);
    const title = cells.slice(0, at + 1).findLast((cell) => cell.node.querySelector("h1, h2"));
    const own = cells.indexOf(title) >= slides[here];
    const words = own ? "" : title?.node.querySelector("h1, h2").textContent.replace(/¶$/, "") ?? "";
    footer.replaceChildren(words, Object.assign(document.createElement("span"), { textContent: `${here + 1} / ${slides.length}` }));
    const rest = cells.slice(slides[here]);
    const end = rest.findIndex((cell, i) => i > 0 && kind(cell) === "slide");
    const notes = (end < 0 ? rest : rest.slice(0, end)).find((cell) => kind(cell) === "notes");
    aside.innerHTML = notes?.node.querySelector(".jp-RenderedMarkdown")?.innerHTML ?? "";
  }

  function activate(lab) {
    app = lab;
    document.head.append(Object.assign(document.createElement("link"), { rel: "stylesheet", href: style.href }));
    document.body.append(footer, aside);
    app.commands.addCommand("seqlib-slides:walk", { label: "Next change of the slides", execute: ({ by }) => walk(by) });
    app.commands.addCommand("seqlib-slides:notes", {
      label: "Notes of the slide",
      execute: () => ((aside.hidden = !aside.hidden), later()),
    });
    new MutationObserver(later).observe(document.body, { attributeFilter: ["data-jp-deck-mode"] });
    addEventListener("resize", later);
  }

  const plugin = { id: "seqlib_slides:plugin", autoStart: true, activate };
  (window._JUPYTERLAB ??= {}).seqlib_slides = {
    init: () => {},
    get: async () => () => ({ __esModule: true, default: plugin }),
  };
})();
