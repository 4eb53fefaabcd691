// Bundles the panels: one ESM file each, everything inside, no request at run time. `--watch` rebuilds on change.
import { rmSync, statSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { context } from "esbuild";
import { minified } from "./styles.mjs";

const out = "../src/celltrail/static";
const ceilings = { chart: 80, table: 160, compare: 80, detail: 200, media: 100, evaluation: 100 }; // KiB: each live panel carries its bundle as state
const VIEW = 60; // KiB, of the page without the panels that it loads

const styles = {
  name: "styles",
  setup(build) {
    build.onLoad({ filter: /(css|styles?)\.ts$/ }, async ({ path }) => {
      return { contents: await minified(await readFile(path, "utf8")), loader: "ts" };
    });
  },
};

// The page of runs loads the panels as they are, from beside itself.
const beside = {
  name: "beside",
  setup(build) {
    build.onResolve({ filter: /\/panels\/\w+\.ts$/ }, ({ path, kind }) => {
      if (kind === "dynamic-import") return { path: path.replace(/^.*\/(\w+)\.ts$/, "./$1.js"), external: true };
    });
  },
};

const watch = process.argv.includes("--watch");
if (!watch) rmSync(out, { recursive: true, force: true });

const build = await context({
  entryPoints: [
    ...Object.keys(ceilings).map((name) => ({ in: `src/panels/${name}.ts`, out: name })),
    { in: "src/view/view.ts", out: "view" },
  ],
  outdir: out,
  bundle: true,
  format: "esm",
  target: "es2022",
  minify: true,
  legalComments: "none",
  charset: "utf8",
  plugins: [styles, beside],
  logLevel: "info",
});

if (watch) await build.watch();
else {
  await build.rebuild();
  await build.dispose();
  for (const [name, ceiling] of Object.entries({ ...ceilings, view: VIEW })) {
    const size = statSync(`${out}/${name}.js`).size / 1024;
    if (size > ceiling) throw new Error(`${name}.js has ${size.toFixed(1)} KiB, more than its ${ceiling}`);
  }
}
