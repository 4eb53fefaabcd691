import type { EvaluatedRun, EvaluationScore, FairGroup, FairnessShown } from "../../contract.ts";
import { shape as draw, element } from "../element.ts";
import { count, formatReal, formatScalar } from "../format.ts";

const GAPS: Record<string, string> = {
  dpd: "demographic parity difference",
  dpr: "demographic parity ratio",
  eod: "equalized odds difference",
  eopd: "equal opportunity difference",
};
const [WIDE, HIGH] = [96, 14];

/** How a run treats groups: how far they are apart, the rates of each, and the slices it is worst on. */
export function fairnessView(run: EvaluatedRun, shown: FairnessShown, colour: string): HTMLElement {
  const made = element("figure", { class: "fair" });
  const aside = element("span", { class: "ct-muted" }, `fairness · a gain is ${shown.positive}`);
  made.append(element("figcaption", {}, element("b", {}, run.name), aside));
  for (const feature of new Set(shown.groups.map((group) => group.feature))) {
    const groups = shown.groups.filter((group) => group.feature === feature);
    const small = groups.some(({ rows }) => rows < shown.few);
    made.append(gapsView(feature, shown.gaps, small ? shown.few : 0), groupsView(feature, groups, shown.few, colour));
  }
  if (shown.slices.length > 0) made.append(slicesView(shown));
  return made;
}

function gapsView(feature: string, gaps: readonly EvaluationScore[], few: number): HTMLElement {
  const own = gaps.filter(({ name }) => name.endsWith(`/${feature}`));
  const told = own.map((gap) => {
    const words = GAPS[gap.name.slice(0, -feature.length - 1)] ?? gap.name;
    const title = `95% interval (${gap.method})`;
    const interval = element("span", { class: "ct-muted interval", title }, intervalOf(gap));
    return element("li", {}, `${words} `, element("b", {}, formatReal(gap.value)), interval);
  });
  if (few > 0)
    told.push(element("li", { class: "few" }, `a group has fewer than ${few} rows: the gaps may rest on it`));
  return element("ul", { class: "gaps", "aria-label": `gaps by ${feature}` }, ...told);
}

function groupsView(feature: string, groups: readonly FairGroup[], few: number, colour: string): HTMLElement {
  const names = [...new Set(groups.flatMap(({ scores }) => scores.map(({ name }) => name)))];
  const heads = [feature, "rows", ...names.map((name) => name.replaceAll("_", " "))];
  const body = groups.map((group) => {
    const small = group.rows < few;
    const mark = small ? element("span", { class: "few", title: `fewer than ${few} rows say little` }, " few") : null;
    const cells = names.map((name) => {
      const score = group.scores.find((each) => each.name === name);
      return element("td", {}, ...(score ? rate(score, colour) : ["–"]));
    });
    const rows = element("td", { title: count(group.rows, "row") }, String(group.rows), mark);
    return element("tr", {}, element("th", { scope: "row" }, group.group), rows, ...cells);
  });
  const head = element("tr", {}, ...heads.map((name) => element("th", { scope: "col" }, name)));
  const table = element("table", { "aria-label": `rates by ${feature}` });
  table.append(element("thead", {}, head), element("tbody", {}, ...body));
  return element("div", { class: "across" }, table);
}

/** A value as a dot between 0 and 1 with its interval, and in digits. */
function rate(score: EvaluationScore, colour: string): (HTMLElement | SVGElement)[] {
  if (score.value === "nan") return [element("span", { class: "ct-muted", title: "no row to take a share of" }, "–")];
  const digits = element("span", { title: `${intervalOf(score)} (${score.method})` }, formatReal(score.value));
  const { value, low, high } = score;
  if (typeof value !== "number" || typeof low !== "number" || typeof high !== "number" || low < 0) return [digits];
  const x = (at: number): number => 3 + Math.min(1, Math.max(0, at)) * (WIDE - 6);
  const svg = draw("svg", { viewBox: `0 0 ${WIDE} ${HIGH}`, width: WIDE, height: HIGH, "aria-hidden": "true" });
  svg.append(draw("path", { class: "rule", d: `M${x(0)} ${HIGH / 2}H${x(1)}` }));
  svg.append(draw("path", { d: `M${x(low)} ${HIGH / 2}H${x(high)}`, stroke: colour, "stroke-width": 2 }));
  svg.append(draw("circle", { cx: x(value), cy: HIGH / 2, r: 3.5, fill: colour }));
  return [svg, digits];
}

function slicesView({ heads, slices }: FairnessShown): HTMLElement {
  const head = element("tr", {}, ...heads.map((name) => element("th", { scope: "col" }, name)));
  const body = slices.map((line) =>
    element("tr", {}, ...line.map((value) => element("td", {}, value === null ? "–" : formatScalar(value)))),
  );
  const table = element("table", { "aria-label": "worst slices" });
  table.append(element("thead", {}, head), element("tbody", {}, ...body));
  return element("details", {}, element("summary", {}, "slices, the least accurate first"), table);
}

function intervalOf({ low, high }: EvaluationScore): string {
  return low === "nan" || low === null ? "no interval" : `${formatReal(low)} to ${formatReal(high)}`;
}
