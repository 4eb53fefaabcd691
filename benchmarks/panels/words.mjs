// Figures into the README's words: ours in milliseconds, the others as ratios to ours of the same run.
const ms = (value) => (value === undefined ? "-" : value < 10 ? `${value.toFixed(1)} ms` : `${Math.round(value)} ms`);
const ratio = (theirs, ours) => (theirs === undefined || ours === undefined ? "-" : `${(theirs / ours).toPrecision(2)}x`);
const kb = (bytes) => `${Math.round(bytes / 1000)} kB`;

const line = (cells) => `| ${cells.join(" | ")} |`;

export function table({ measures = {}, bytes = {}, saved = {} }) {
  const of = (name, ...path) => path.reduce((found, key) => found?.[key], measures[name]);
  const chart = (words, name, ...path) =>
    line([words, ms(of(`${name}/celltrail`, ...path)), ratio(of(`${name}/Plotly`, ...path), of(`${name}/celltrail`, ...path)), ratio(of(`${name}/Vega`, ...path), of(`${name}/celltrail`, ...path)), "-"]);
  const kernel = (work) => {
    const took = of("table/celltrail", "kernel", work);
    return typeof took === "number" ? `, the kernel's answer ${ms(took)} of it` : "";
  };
  const grid = (words, work, ...path) =>
    line([words + kernel(work), ms(of("table/celltrail", ...path)), "-", "-", ratio(of("table/AG Grid", ...path), of("table/celltrail", ...path))]);
  const soak = measures.soak ?? [];
  const held = (part) => soak.map((one) => `${(one[part] / 1e6).toFixed(1)}`).join(", ");
  return [
    line(["work", "celltrail", "Plotly", "Vega", "AG Grid"]),
    line(["---", "---:", "---:", "---:", "---:"]),
    chart("live chart, 10 x 1,000 points: first frame", "chart", "10 x 1000", "first"),
    chart("one point more in each line, to the next frame", "chart", "10 x 1000", "more", "median"),
    chart("every point replaced, to the next frame", "chart", "10 x 1000", "median"),
    chart("live chart, 50 x 1,000 points: first frame", "chart", "50 x 1000", "first"),
    chart("one point more in each line, to the next frame", "chart", "50 x 1000", "more", "median"),
    chart("every point replaced, to the next frame", "chart", "50 x 1000", "median"),
    chart("1,000,000 points: first frame", "long", "first"),
    chart("a frame while a hand drags through them, p95", "long", "frame", "p95"),
    chart("from a move to the sharper points", "long", "sharp", "median"),
    grid("run table, 10,000 x 200: until all can be scrolled to", "mount", "mount"),
    grid("a step of scrolling, p95", null, "scroll", "p95"),
    grid("sort", "sort", "sort"),
    grid("filter", "filter", "filter"),
    grid("group", "group", "group"),
    line(["elements in the page at most", String(of("table/celltrail", "nodes") ?? "-"), "-", "-", String(of("table/AG Grid", "nodes") ?? "-")]),
    "",
    `Panels (gzip): ${Object.entries(bytes).map(([name, size]) => `${name} ${kb(size.raw)} (${kb(size.gzip)})`).join(", ")}. ` +
      `Saved outputs: ${Object.entries(saved).map(([name, size]) => `${name} ${kb(size)}`).join(", ")}. ` +
      (soak.length > 0 ? `A live chart after ${soak.map((one) => one.points.toLocaleString("en-US")).join(", ")} points holds ${held("kernel")} MB in the kernel and ${held("page")} MB in the page.` : ""),
  ].join("\n");
}
