// What is measured in the page: celltrail's panels and their peers do the same work on the same data.
import { AllCommunityModule, createGrid, ModuleRegistry } from "ag-grid-community";
import Plotly from "plotly.js-dist-min";
import embed from "vega-embed";
import { changeset } from "vega";

const SERIES = [
  [10, 1000],
  [50, 1000],
];
const UPDATES = 40;
const SCROLLS = 60;
const DRAG = 120; // moves of the hand

/** Resolves after the next frame was painted. */
const painted = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
const wait = (ms) => new Promise((done) => setTimeout(done, ms));
const place = () => {
  const el = document.createElement("div");
  el.style.cssText = "width:1100px;height:480px";
  document.body.replaceChildren(el);
  return el;
};

async function timed(work) {
  const began = performance.now();
  await work();
  await painted();
  return performance.now() - began;
}

function spread(times) {
  const sorted = [...times].sort((a, b) => a - b);
  const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
  return { median: at(0.5), p95: at(0.95) };
}

function wave(series, points, turn) {
  return Array.from({ length: points }, (_, i) => Math.exp(-i / (200 + series * 9)) + 0.02 * Math.sin(i * (series + 1) + turn));
}

// --- celltrail ------------------------------------------------------------------------------------------------

/** anywidget's model, with the kernel behind it. */
function model(state, options, ask) {
  const heard = new Map();
  const traits = { state, options };
  const tell = (event, ...args) => {
    for (const hear of heard.get(event) ?? []) hear(...args);
  };
  return {
    traits,
    tell,
    get: (name) => traits[name],
    set: (name, value) => {
      traits[name] = value;
    },
    save_changes() {},
    send: (intent) => void ask?.(intent).then((said) => said && tell("msg:custom", said.message, said.buffers)),
    on: (event, hear) => heard.set(event, new Set([...(heard.get(event) ?? []), hear])),
    off: (event, hear) => heard.get(event)?.delete(hear),
  };
}

const decoded = (said) => ({
  ...said,
  buffers: said.buffers.map((text) => new DataView(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer)),
});
const kernel = async (path, asked) => {
  const answer = await fetch(`${window.KERNEL}${path}`, { method: "POST", body: JSON.stringify(asked ?? null) });
  return answer.json();
};

function points(count, each, turn, start, seq) {
  const data = new Float64Array(3 * count * each);
  const parts = [];
  for (let s = 0, at = 0; s < count; s++) {
    parts.push({ run: `r${s}`, metric: "val/loss", start, n: each });
    for (let i = 0; i < each; i++) data[at++] = start + i;
    for (let i = 0; i < each; i++) data[at++] = (start + i) / 10;
    for (const value of wave(s, each, turn)) data[at++] = value;
  }
  const known = { last: { "val/loss": 0 }, goals: { "val/loss": "min" }, earlier: 0, beaten: {}, left: null, error: null };
  const runs = parts.map(({ run }) => ({
    run, name: run, status: "running", step: start + each, seconds: 1, started: 0, axes: [], points: each, ...known,
  }));
  return [{ kind: "points", seq, full: start === 0, parts, runs }, [new DataView(data.buffer)]];
}

async function ownChart(count, each) {
  const { default: panel } = await import(`${window.STATIC}/chart.js`);
  const { state, options } = await kernel("/long/state");
  const el = place();
  const shown = model({ ...state, kind: "chart", detail: null, series: [], runs: [], marks: [] }, options);
  const first = await timed(async () => {
    panel.render({ model: shown, el });
    shown.tell("msg:custom", ...points(count, each, 0, 0, 0));
  });
  const times = [];
  for (let turn = 1; turn <= UPDATES; turn++) {
    times.push(await timed(async () => shown.tell("msg:custom", ...points(count, each, turn, 0, turn))));
  }
  const more = [];
  for (let turn = 1; turn <= UPDATES; turn++) {
    const news = points(count, 1, 0, each + turn, UPDATES + turn);
    more.push(await timed(async () => shown.tell("msg:custom", ...news)));
  }
  return { first, ...spread(times), more: spread(more) };
}

/**
 * A hand on a chart, as this browser's mouse: frames while it drags, and how long after a move all of it is as sharp
 * as it gets. `rested` tells when that is, and comes with the moment of it.
 */
async function dragged(el, shift, rested) {
  const { left, top, width, height } = el.getBoundingClientRect();
  const [y, from, to] = [top + height / 2, left + 0.8 * width, left + 0.3 * width];
  const frames = [];
  let [going, moved] = [true, 0];
  const note = () => (moved = performance.now());
  addEventListener("pointermove", note, true);
  const tick = (now) => {
    frames.push(now);
    if (going) requestAnimationFrame(tick);
  };
  requestAnimationFrame(tick);
  await window.hand({ from: [from, y], to: [to, y], steps: DRAG, shift, back: true });
  going = false;
  const gaps = frames.slice(1).map((now, i) => now - frames[i]);
  const seconds = (frames.at(-1) - frames[0]) / 1000;
  await rested();
  const sharp = [];
  for (let turn = 0; turn < 10; turn++) {
    const [x, further] = turn % 2 ? [to, from] : [from, to];
    await window.hand({ from: [x, y], to: [further, y], steps: 1, shift, back: false });
    sharp.push(Math.max(0, (await rested()) - moved));
  }
  removeEventListener("pointermove", note, true);
  return { frame: spread(gaps), fps: frames.length / seconds, sharp: spread(sharp) };
}

/** A million points in the trail: the page draws what it holds while the hand drags, and asks the kernel for more. */
async function ownLong() {
  const { default: panel } = await import(`${window.STATIC}/chart.js`);
  const { state, options } = await kernel("/long/state");
  const run = state.runs[0].run;
  const whole = { kind: "window", id: "w", runs: [run], metrics: ["train/loss"], x: "step", low: 0, high: 1e6, points: 3900 };
  const took = [];
  let [open, last] = [0, 0];
  const ask = async (intent) => {
    if (intent.kind !== "window") return null;
    open++;
    const said = decoded(await kernel("/long/ask", intent));
    took.push(said.ms);
    void painted().then(() => {
      open--;
      last = performance.now();
    });
    return said;
  };
  const shown = model({ ...state, kind: "chart", detail: null, series: [], runs: [], marks: [] }, options, ask);
  const el = place();
  const first = await timed(async () => {
    panel.render({ model: shown, el });
    const { message, buffers } = decoded(await kernel("/long/ask", whole));
    shown.tell("msg:custom", { kind: "points", seq: 0, full: true, parts: message.parts, runs: state.runs }, buffers);
  });
  // at rest when nothing was asked for a while
  const rested = async () => {
    for (let quiet = 0; quiet < 10; quiet = open ? 0 : quiet + 1) await wait(30);
    return last;
  };
  await rested();
  const stage = el.firstElementChild.shadowRoot.querySelector(".stage");
  stage.dispatchEvent(new KeyboardEvent("keydown", { key: "+", bubbles: true }));
  await rested();
  const found = await dragged(stage, true, rested);
  return { first, ...found, asked: took.length, kernel: spread(took) };
}

async function plotlyLong() {
  const el = place();
  const x = Array.from({ length: 1e6 }, (_, i) => i);
  const trace = { x, y: wave(0, 1e6, 0), mode: "lines", type: "scatter" };
  const first = await timed(() => Plotly.newPlot(el, [trace], { dragmode: "pan" }));
  await Plotly.relayout(el, { "xaxis.range": [250_000, 750_000], "yaxis.fixedrange": true });
  let [drawn, known] = [0, 0];
  el.on("plotly_relayout", () => drawn++);
  const rested = async () => {
    for (const begun = performance.now(); drawn === known && performance.now() - begun < 5000; ) await wait(0);
    known = drawn;
    await painted();
    const last = performance.now();
    await wait(300);
    return last;
  };
  const found = await dragged(el.querySelector(".nsewdrag"), false, rested);
  Plotly.purge(el);
  return { first, ...found };
}

async function ownTable() {
  const { default: panel } = await import(`${window.STATIC}/table.js`);
  const { state, options } = await kernel("/table/state");
  const el = place();
  const took = { mount: [], sort: [], filter: [], group: [] };
  let doing = "mount";
  const ask = async (intent) => {
    const said = decoded(await kernel("/table/ask", intent));
    if (intent.kind === "list") took[doing].push(said.ms); // what the eye waits for
    return said;
  };
  const shown = model(state, options, ask);
  const inside = () => el.firstElementChild?.shadowRoot;
  const grid = () => inside().querySelector("[role=grid], [role=treegrid]");
  const count = () => Number(grid()?.getAttribute("aria-rowcount"));
  const ghosts = () => [...inside().querySelectorAll(".ct-body [role=rowheader]")].some((cell) => cell.textContent === "…");
  // Looked at between frames: the frame that shows it is waited for by `timed`, once, as for the peer.
  const until = async (holds) => {
    for (const begun = performance.now(); !holds(); await wait(0)) {
      if (performance.now() - begun > 60_000) throw new Error("the table did not come to rest");
    }
  };
  const first = () => inside().querySelector('.ct-body [aria-rowindex="2"]')?.dataset.key;
  const settled = async (changes) => {
    const before = first();
    return timed(async () => {
      changes();
      await until(() => !ghosts() && first() !== before);
    });
  };
  const mount = await timed(async () => {
    panel.render({ model: shown, el });
    await until(() => inside() && count() === 10_001);
  });
  const nodes = () => inside().querySelectorAll("*").length;
  let most = nodes();
  await wait(1500);
  // a measured column as the peer's is, not yet known to the kernel; the others are
  const heads = [...inside().querySelectorAll('[role=columnheader][data-column^="best."]')].map((cell) => cell.dataset.column);
  const press = (column) => () => inside().querySelector(`[role=columnheader][data-column="${column}"]`).click();
  doing = "sort";
  const firstSort = await settled(press(heads[0]));
  const sorts = [await settled(press(heads[0]))];
  for (let turn = 0; turn < 6; turn++) sorts.push(await settled(press(heads[1 + ((turn >> 1) % (heads.length - 1))])));
  await wait(500);
  const box = inside().querySelector(".ct-filter");
  const find = (text) => async () => {
    box.value = text;
    box.dispatchEvent(new Event("input"));
    if (/[<>(]/.test(text)) box.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter" }));
  };
  const changed = async (text) => {
    const before = count();
    return timed(async () => {
      await find(text)();
      await until(() => count() !== before && !ghosts());
    });
  };
  doing = "filter";
  const firstWords = await changed("adam");
  const filters = [];
  for (const text of ["", "mlp", "", "sweep", "", "params.lr < 0.001", "", "params.lr < 0.01"]) filters.push(await changed(text));
  await changed("");
  await wait(500);
  const steps = [];
  for (let step = 0; step < SCROLLS; step++) {
    steps.push(await timed(async () => { grid().scrollTop += 300; grid().scrollLeft = step % 2 ? step * 60 : grid().scrollLeft; }));
    most = Math.max(most, nodes());
  }
  await wait(1500);
  grid().scrollTop = 0;
  grid().scrollLeft = 0;
  doing = "group";
  const groups = [];
  for (const name of ["optimizer", "augment"]) {
    inside().querySelectorAll(".ct-bar button").forEach((button) => button.textContent.startsWith("Group") && button.click());
    await painted();
    const item = [...inside().querySelectorAll("[role=menuitemcheckbox]")].find((found) => found.textContent.startsWith(name));
    const before = count();
    groups.push(await timed(async () => { item.click(); await until(() => count() !== before); }));
    most = Math.max(most, nodes());
    await wait(800);
  }
  return { mount, first_sort: firstSort, sort: spread(sorts).median, first_words: firstWords, filter: spread(filters).median,
    scroll: spread(steps), group: spread(groups).median, nodes: most,
    kernel: Object.fromEntries(Object.entries(took).map(([work, times]) => [work, spread(times).median])) };
}

async function soak(memory) {
  const { default: panel } = await import(`${window.STATIC}/chart.js`);
  const { state, options } = await kernel("/long/state");
  const el = place();
  const shown = model({ ...state, kind: "chart", detail: null, series: [], runs: [], marks: [] }, options);
  panel.render({ model: shown, el });
  const told = [];
  for (let block = 1; block <= 100; block++) {
    const said = decoded(await kernel("/soak"));
    shown.tell("msg:custom", said.message, said.buffers);
    await painted();
    if (block === 10 || block === 50 || block === 100) told.push({ points: said.points, kernel: said.held, page: await memory() });
  }
  return told;
}

// --- peers ----------------------------------------------------------------------------------------------------

async function plotlyChart(count, each) {
  const el = place();
  const x = Array.from({ length: each }, (_, i) => i);
  const traces = (turn) => Array.from({ length: count }, (_, s) => ({ x, y: wave(s, each, turn), mode: "lines", type: "scatter" }));
  const first = await timed(() => Plotly.newPlot(el, traces(0), {}, { staticPlot: false }));
  const times = [];
  for (let turn = 1; turn <= UPDATES / 4; turn++) times.push(await timed(() => Plotly.react(el, traces(turn), {})));
  const more = [];
  const all = Array.from({ length: count }, (_, s) => s);
  for (let turn = 1; turn <= UPDATES / 4; turn++) {
    const news = { x: all.map(() => [each + turn]), y: all.map(() => [Math.random()]) };
    more.push(await timed(() => Plotly.extendTraces(el, news, all)));
  }
  Plotly.purge(el);
  return { first, ...spread(times), more: spread(more) };
}

async function vegaChart(count, each) {
  const el = place();
  const values = (turn) => Array.from({ length: count }, (_, s) => wave(s, each, turn).map((y, x) => ({ x, y, s }))).flat();
  const spec = {
    $schema: "https://vega.github.io/schema/vega-lite/v6.json", width: 1000, height: 400, data: { name: "points" }, mark: "line",
    encoding: { x: { field: "x", type: "quantitative" }, y: { field: "y", type: "quantitative" }, color: { field: "s", type: "nominal" } },
  };
  let view;
  const first = await timed(async () => {
    ({ view } = await embed(el, spec, { renderer: "canvas", actions: false }));
    await view.change("points", changeset().insert(values(0))).runAsync();
  });
  const times = [];
  for (let turn = 1; turn <= UPDATES / 8; turn++) {
    times.push(await timed(() => view.change("points", changeset().remove(() => true).insert(values(turn))).runAsync()));
  }
  const more = [];
  for (let turn = 1; turn <= UPDATES / 8; turn++) {
    const news = Array.from({ length: count }, (_, s) => ({ x: each + turn, y: Math.random(), s }));
    more.push(await timed(() => view.change("points", changeset().insert(news)).runAsync()));
  }
  view.finalize();
  return { first, ...spread(times), more: spread(more) };
}

async function agTable() {
  ModuleRegistry.registerModules([AllCommunityModule]);
  const names = Array.from({ length: 200 }, (_, i) => `column_${i}`);
  const rows = Array.from({ length: 10_000 }, (_, r) => Object.fromEntries(names.map((name, c) => [name, c === 0 ? `run-${r % 7}` : (r * 7919 + c * 31) % 10_007])));
  const el = place();
  let api;
  const mount = await timed(async () => {
    api = createGrid(el, { columnDefs: names.map((field) => ({ field, filter: true })), rowData: rows, animateRows: false });
  });
  await wait(1000);
  let most = el.querySelectorAll("*").length;
  const sorts = [];
  for (let turn = 0; turn < 8; turn++) {
    const state = [{ colId: `column_${1 + (turn >> 1)}`, sort: turn % 2 ? "desc" : "asc" }];
    sorts.push(await timed(async () => api.applyColumnState({ state, defaultState: { sort: null } })));
  }
  const filters = [];
  for (let turn = 0; turn < 8; turn++) {
    const model = turn % 2 ? null : { column_3: { filterType: "number", type: "lessThan", filter: 1000 + 500 * turn } };
    filters.push(await timed(async () => api.setFilterModel(model)));
  }
  const body = [...el.querySelectorAll("*")].find((one) => one.scrollHeight > one.clientHeight + 10_000 && /auto|scroll/.test(getComputedStyle(one).overflowY));
  const across = [...el.querySelectorAll("*")].find((one) => one.scrollWidth > one.clientWidth + 10_000 && one.scrollLeft !== undefined && getComputedStyle(one).overflowX !== "visible") ?? body;
  const steps = [];
  for (let step = 0; step < SCROLLS; step++) {
    steps.push(await timed(async () => { body.scrollTop += 300; across.scrollLeft = step % 2 ? step * 60 : across.scrollLeft; }));
    most = Math.max(most, el.querySelectorAll("*").length);
  }
  const seen = body.scrollTop;
  api.destroy();
  if (seen === 0) throw new Error("AG Grid was not scrolled");
  return { mount, sort: spread(sorts).median, filter: spread(filters).median, scroll: spread(steps), nodes: most };
}

window.MEASURES = {
  "chart/celltrail": async () => Object.fromEntries(await each(ownChart)),
  "chart/Plotly": async () => Object.fromEntries(await each(plotlyChart)),
  "chart/Vega": async () => Object.fromEntries(await each(vegaChart)),
  "long/celltrail": ownLong,
  "long/Plotly": plotlyLong,
  "table/celltrail": ownTable,
  "table/AG Grid": agTable,
  soak: () => soak(window.heldByPage),
};
async function each(chart) {
  const found = [];
  for (const [count, length] of SERIES) found.push([`${count} x ${length}`, await chart(count, length)]);
  return found;
}
