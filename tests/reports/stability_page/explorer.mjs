// Runs page.js on a document that is not there, and prints what it says at each noise: node explorer.mjs DATA NOISE ...
import { readFileSync } from "node:fs";

const [script, data, ...noises] = process.argv.slice(2);
const heard = [], elements = {};
const anything = () => new Proxy(() => {}, {
  get: (_, name) => (name === Symbol.toPrimitive ? () => 0 : name === "data" ? { set() {} } : anything()),
  set: () => true,
  apply: () => anything(),
});
const element = (id) => elements[id] ??= {
  textContent: id === "spectrum" ? data : "", value: "", max: 1000, width: 2, height: 2, on: {}, said: "",
  addEventListener(kind, run) { this.on[kind] = run; },
  replaceChildren(...parts) { this.said = parts.map((p) => p.textContent ?? p).join(""); },
  setAttribute() {}, getContext: anything, append() {},
};
globalThis.CustomEvent = class { constructor(_, { detail }) { this.detail = detail; } };
globalThis.document = {
  getElementById: element,
  createElement: () => ({ setAttribute() {}, textContent: "" }),
  createElementNS: anything,
  querySelectorAll: () => [],
  addEventListener() {},
  dispatchEvent: (event) => heard.push(event.detail),
  body: { append() {} },
};
globalThis.window = globalThis;
globalThis.ResizeObserver = class { observe() {} };
(0, eval)(readFileSync(script, "utf8"));
for (const noise of noises) {
  element("typed").value = noise;
  element("typed").on.input();
  heard.at(-1).readout = element("readout").said;
}
console.log(JSON.stringify(heard.slice(-noises.length)));
