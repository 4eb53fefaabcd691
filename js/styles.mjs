// Styles are strings in .ts files, which no minifier looks into: `minified` does, for the panels' bundles. Run by
// itself this does so to what tsc left in lib/, from which the extension of JupyterLab is bundled.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { transform } from "esbuild";

const lib = new URL("lib/", import.meta.url).pathname;

/** Code with the styles in it minified; what is put together from parts is left as it is. */
export async function minified(code) {
  let made = code;
  for (const [literal, css] of code.matchAll(/`([^`$]*)`/g)) {
    const found = await transform(css, { loader: "css", minify: true, target: "es2022" });
    made = made.replace(literal, () => `\`${found.code.trim()}\``);
  }
  return made;
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  for (const name of readdirSync(lib, { recursive: true })) {
    if (!/(css|styles?)\.js$/.test(name)) continue;
    const path = join(lib, name);
    writeFileSync(path, await minified(readFileSync(path, "utf8")));
  }
}
