import type { EvaluatedRun, EvaluationScore } from "../../contract.ts";
import { bestOf } from "../compare/rows.ts";
import { element } from "../element.ts";
import { formatReal } from "../format.ts";
import { goalArrow } from "../table/columns.ts";

/** The metrics of the runs with their intervals, the best of each row bold. */
export function scoresView(runs: readonly EvaluatedRun[], key: (run: string) => HTMLElement): HTMLElement {
  const names = [...new Set(runs.flatMap(({ scores }) => scores.map(({ name }) => name)))];
  const heads = runs.map((run) =>
    element(
      "th",
      { scope: "col" },
      key(run.run),
      element("b", {}, run.name),
      element("span", { class: "ct-muted" }, ` ${run.rows.toLocaleString("en-US")} rows`),
    ),
  );
  const body = names.map((name) => {
    const found = runs.map(({ scores }) => scores.find((score) => score.name === name));
    const goal = found.find(Boolean)?.goal ?? "none";
    const best = bestOf(
      found.map((score) => score?.value ?? null),
      goal,
    );
    const { arrow, word } = goalArrow(goal);
    const mark = arrow
      ? element("span", { class: "ct-muted", title: word, role: "img", "aria-label": word }, ` ${arrow}`)
      : null;
    const cells = found.map((score, at) => cell(score, best[at] ?? false));
    return element("tr", {}, element("th", { scope: "row" }, name.replaceAll("_", " "), mark), ...cells);
  });
  const head = element("thead", {}, element("tr", {}, element("td", {}), ...heads));
  const table = element("table", { class: "scores", "aria-label": "metrics" }, head, element("tbody", {}, ...body));
  return element("div", { class: "across" }, table);
}

function cell(score: EvaluationScore | undefined, best: boolean): HTMLElement {
  if (!score) return element("td", { class: "ct-muted" }, "–");
  const text = formatReal(score.value);
  const value = best ? element("strong", { title: "the best of these runs" }, text) : text;
  if (score.low === "nan" || score.low === null) return element("td", {}, value);
  const interval = `${formatReal(score.low)} to ${formatReal(score.high)}`;
  const title = `95% interval (${score.method})`;
  return element("td", {}, value, element("span", { class: "ct-muted interval", title }, interval));
}
