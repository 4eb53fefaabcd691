// Bundles the panels: one ESM file each, everything inside, no request at run time. `--watch` rebuilds on change.
import { existsSync, rmSync } from "node:fs";
import { context } from "esbuild";

const out = "../src/celltrail/static";
const named = ["chart", "table", "compare"].map((name) => [name, `src/panels/${name}.ts`]);
const present = named.filter(([, file]) => existsSync(file));
for (const [, file] of named.filter(([, file]) => !existsSync(file))) console.warn(`no ${file}; left out`);

const watch = process.argv.includes("--watch");
if (!watch) rmSync(out, { recursive: true, force: true });

const build = await context({
  entryPoints: present.map(([name, file]) => ({ in: file, out: name })),
  outdir: out,
  bundle: true,
  format: "esm",
  target: "es2022",
  minify: true,
  legalComments: "none",
  metafile: true,
  logLevel: "info",
});

if (watch) await build.watch();
else {
  await build.rebuild();
  await build.dispose();
}
