// The panels beside AG Grid, Plotly and Vega, each doing the same work in the same page of Chromium.
//
//   node benchmarks/panels.mjs              everything; a table of what was measured
//   node benchmarks/panels.mjs --write      kept in benchmarks/results/panels.json, and the README's table written
//   node benchmarks/panels.mjs --only chart table
//   node benchmarks/panels.mjs --render     the table of what is kept
//
// The peers live in build/panels, where `make bench-panels` installs them. Machines are busy: read ratios.
import { spawn } from "node:child_process";
import { createReadStream, existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { cpus } from "node:os";
import { dirname, join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { table } from "./panels/words.mjs";

const HERE = dirname(fileURLToPath(import.meta.url));
const ROOT = dirname(HERE);
const BUILD = join(ROOT, "build", "panels");
const STATIC = join(ROOT, "src", "celltrail", "static");
const KEPT = join(HERE, "results", "panels.json");
const PANELS = ["chart", "table", "compare", "detail"];
const PEERS = ["ag-grid-community", "plotly.js-dist-min", "vega", "vega-lite"];
const BROWSER = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--enable-precise-memory-info", "--js-flags=--expose-gc"];
const [OPENING, CLOSING] = ["<!-- benchmark:panels -->", "<!-- /benchmark:panels -->"];

const asked = process.argv.slice(2);
const only = asked.includes("--only") ? asked.slice(asked.indexOf("--only") + 1).filter((word) => !word.startsWith("--")) : null;

function python() {
  const own = join(ROOT, ".venv", "bin", "python");
  return existsSync(own) ? own : "python3";
}

async function kernel() {
  const child = spawn(python(), [join(HERE, "panels", "kernel.py"), join(BUILD, "trails")], { stdio: ["pipe", "pipe", "inherit"] });
  const [port] = await new Promise((done, refuse) => {
    createInterface({ input: child.stdout }).once("line", (line) => done([line]));
    child.once("exit", (code) => refuse(new Error(`the kernel's side ended with ${code}`)));
  });
  return { url: `http://127.0.0.1:${port}`, stop: () => child.stdin.end() };
}

async function site() {
  const { build } = createRequire(join(BUILD, "package.json"))("esbuild");
  const outfile = join(BUILD, "page.js");
  await build({ entryPoints: [join(HERE, "panels", "page.mjs")], outfile, bundle: true, format: "iife", nodePaths: [join(BUILD, "node_modules")], external: ["*/chart.js", "*/table.js"], logLevel: "error" });
  const files = { "/page.js": outfile, ...Object.fromEntries(PANELS.map((name) => [`/${name}.js`, join(STATIC, `${name}.js`)])) };
  const server = createServer((request, response) => {
    const file = files[request.url];
    response.setHeader("Content-Type", file ? "text/javascript" : "text/html");
    if (file) createReadStream(file).pipe(response);
    else response.end("<!doctype html><body></body>");
  });
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  return { url: `http://127.0.0.1:${server.address().port}`, stop: () => server.close() };
}

/** A drag by the mouse of the browser, there and back again where wished. */
async function hand({ keyboard, mouse }, { from, to, steps, shift, back }) {
  if (shift) await keyboard.down("Shift");
  await mouse.move(...from);
  await mouse.down();
  await mouse.move(...to, { steps });
  if (back) await mouse.move(...from, { steps });
  await mouse.up();
  if (shift) await keyboard.up("Shift");
}

async function measured(names, own) {
  const { chromium } = createRequire(join(BUILD, "package.json"))("playwright-core");
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: BROWSER });
  const [pages, found] = [await site(), {}];
  for (const name of names) {
    const page = await browser.newPage({ viewport: { width: 1200, height: 800 } });
    page.on("pageerror", (error) => console.error(name, error.stack));
    await page.exposeFunction("hand", (way) => hand(page, way));
    await page.goto(pages.url);
    await page.evaluate(([url, here]) => {
      window.KERNEL = url;
      window.STATIC = here;
      window.heldByPage = async () => {
        window.gc();
        return performance.memory.usedJSHeapSize;
      };
    }, [own.url, pages.url]);
    await page.addScriptTag({ url: `${pages.url}/page.js` });
    try {
      found[name] = await page.evaluate((one) => window.MEASURES[one](), name);
    } catch (error) {
      found[name] = { failed: String(error).split("\n")[0] };
    }
    console.error(name, JSON.stringify(found[name]).slice(0, 300));
    await page.close();
  }
  await browser.close();
  pages.stop();
  return found;
}

function bytes() {
  const of = (file) => ({ raw: statSync(file).size, gzip: gzipSync(readFileSync(file)).length });
  return Object.fromEntries(PANELS.map((name) => [name, of(join(STATIC, `${name}.js`))]));
}

const ALL = ["chart/celltrail", "chart/Plotly", "chart/Vega", "long/celltrail", "long/Plotly", "table/celltrail", "table/AG Grid", "soak"];

async function main() {
  const kept = existsSync(KEPT) ? JSON.parse(readFileSync(KEPT, "utf8")) : {};
  if (asked.includes("--render")) {
    console.log(table(kept));
    return;
  }
  if (!existsSync(join(BUILD, "node_modules"))) throw new Error("the peers are not installed: make bench-panels");
  const own = await kernel();
  try {
    const names = ALL.filter((name) => !only || only.some((word) => name.startsWith(word)));
    const found = await measured(names, own);
    const saved = await (await fetch(`${own.url}/saved`, { method: "POST" })).json();
    const versions = Object.fromEntries(PEERS.map((peer) => [peer, JSON.parse(readFileSync(resolve(BUILD, "node_modules", peer, "package.json"))).version]));
    const now = { ...kept, versions, machine: `${cpus().length} cores`, bytes: bytes(), saved, measures: { ...kept.measures, ...found } };
    console.log(table(now));
    if (!asked.includes("--write")) return;
    writeFileSync(KEPT, `${JSON.stringify(now, null, 1)}\n`);
    const readme = join(ROOT, "README.md");
    const [before, rest] = readFileSync(readme, "utf8").split(OPENING);
    const after = rest?.split(CLOSING)[1];
    if (after === undefined) throw new Error(`README.md has no place for the table: put ${OPENING} and ${CLOSING} there`);
    writeFileSync(readme, `${before}${OPENING}\n${table(now)}\n${CLOSING}${after}`);
  } finally {
    own.stop();
  }
}

await main();
