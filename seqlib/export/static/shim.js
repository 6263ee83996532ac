// What a stepper expects of Jupyter, without Jupyter: a model that holds its state, and a place to draw.
const bytes = (base64) => Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));

async function unpack(buffer) {
  const raw = bytes(buffer.base64);
  if (!buffer.gzip) return new DataView(raw.buffer);
  const stream = new Blob([raw]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new DataView(await new Response(stream).arrayBuffer());
}

class Model {
  #state;
  #listeners = new Map();

  constructor(state) {
    this.#state = state;
  }

  get(name) {
    return this.#state[name];
  }

  set(name, value) {
    if (this.#state[name] === value) return;
    this.#state[name] = value;
    for (const event of [`change:${name}`, "change"]) {
      for (const listener of [...(this.#listeners.get(event) ?? [])]) listener();
    }
  }

  on(event, listener) {
    if (!this.#listeners.has(event)) this.#listeners.set(event, new Set());
    this.#listeners.get(event).add(listener);
  }

  off(event, listener) {
    this.#listeners.get(event)?.delete(listener);
  }

  save_changes() {}
  send() {}
}

const { modules, models } = JSON.parse(document.getElementById("steppers").textContent);
const loaded = {};
const load = (key) => (loaded[key] ??= import(URL.createObjectURL(new Blob([modules[key]], { type: "text/javascript" }))));

async function start(place) {
  const { module, state, buffers } = models[place.dataset.model];
  for (const [name, buffer] of Object.entries(buffers)) state[name] = await unpack(buffer);
  const { default: exported } = await load(module);
  const widget = typeof exported === "function" ? await exported() : exported;
  const model = new Model(state);
  const signal = new AbortController().signal;
  await widget.initialize?.({ model, signal });
  const text = [...place.childNodes];
  await widget.render({ model, el: place, signal });
  for (const node of text) node.remove();
}

// One stepper that fails leaves its text, and the others alone.
for (const place of document.querySelectorAll("[data-model]")) start(place).catch((error) => console.error(error));
