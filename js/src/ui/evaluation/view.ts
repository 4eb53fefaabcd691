import type { Content, EvaluatedRun, EvaluationOptions, EvaluationShown, ThresholdDot } from "../../contract.ts";
import { shape as draw, element, say } from "../element.ts";
import { count, formatTyped } from "../format.ts";
import { DASHES, paint, runColours, type Theme } from "../theme.ts";
import { confusionView } from "./confusion.ts";
import { fairnessView } from "./fairness.ts";
import { keptRows, moreOf, type Picking, rowsView } from "./picked.ts";
import { plotView, type Spot, type Stroke, scales } from "./plot.ts";
import { scoresView } from "./scores.ts";

/** What the view asks and tells. */
export interface EvaluationSource {
  shown(): readonly EvaluationShown[];
  options(): EvaluationOptions;
  keep(options: EvaluationOptions): void;
  /** The rows behind something; rejects with the sentence why there are none. */
  pick(asked: Picking): Promise<Content>;
  isSaved: boolean;
}

const UNIT = [0, 1] as const;

/** One split of some runs: metrics, confusion, curves, calibration, residuals; what is clicked shows its rows. */
export class EvaluationView {
  readonly #split = element("select", { class: "ct-select", "aria-label": "split" });
  readonly #label = element("select", { class: "ct-select", "aria-label": "label of the curves" });
  readonly #shares = element("input", { type: "checkbox" });
  readonly #told = element("span", { class: "ct-muted" });
  readonly #labelled = element("label", {}, "curves of ", this.#label);
  readonly #shared = element("label", {}, this.#shares, " shares of a row");
  readonly #body = element("div", { class: "cards" });
  readonly #scores = element("div");
  readonly #rows = element("div", { role: "status" });
  readonly el = element(
    "div",
    { class: "evaluation" },
    element("div", { class: "bar" }, this.#split, this.#told, this.#labelled, this.#shared),
    this.#scores,
    this.#body,
    this.#rows,
  );
  #theme: Theme | undefined;
  #options: EvaluationOptions;
  #chosen = "";
  #turn = 0;
  #worstOf = "";

  constructor(private readonly source: EvaluationSource) {
    this.#options = source.options();
    this.#split.addEventListener("change", () => this.#choose({ split: this.#split.value, label: "" }));
    this.#label.addEventListener("change", () => this.#choose({ label: this.#label.value }));
    this.#shares.addEventListener("change", () => this.#choose({ shares: this.#shares.checked }));
  }

  draw(theme: Theme | undefined = this.#theme): void {
    this.#theme = theme;
    const all = this.source.shown();
    const shown = all.find(({ split }) => split === this.#options.split) ?? all[0];
    if (!theme) return;
    if (!shown || shown.runs.length === 0) {
      this.el.replaceChildren(
        element("p", { class: "ct-muted" }, "nothing was evaluated: run.evaluate(y_true, y_pred) does that"),
      );
      return;
    }
    const scored = [...new Set(shown.runs.flatMap(({ curves }) => curves.map(({ label }) => label)))];
    const label = scored.includes(this.#options.label) ? this.#options.label : (scored[0] ?? "");
    fill(
      this.#split,
      all.map(({ split }) => split),
      shown.split,
    );
    this.#split.hidden = all.length < 2;
    fill(this.#label, scored, label);
    this.#labelled.hidden = scored.length < 2;
    this.#shares.checked = this.#options.shares;
    this.#shared.hidden = shown.labels.length === 0;
    const omitted = shown.omitted > 0 ? ` · and ${count(shown.omitted, "more run")} in the trail` : "";
    say(this.#told, `${all.length < 2 ? `${shown.split} · ` : ""}${shown.task}${omitted}`);
    const colours = runColours(shown.runs.map(({ run }) => run));
    const look = (run: string) => {
      const index = colours.get(run) ?? 0;
      return { colour: paint(theme, index), dash: (DASHES[Math.floor(index / theme.palette.length)] ?? []).join(" ") };
    };
    this.#scores.replaceChildren(scoresView(shown.runs, (run) => swatch(look(run).colour)));
    this.#body.replaceChildren(...this.#cards(shown, label, look));
    this.#mark();
    const first = `${shown.split} ${shown.runs[0]?.run ?? ""}`;
    if (this.#worstOf !== first) this.#worst(shown);
    this.#worstOf = first;
  }

  #choose(change: Partial<EvaluationOptions>): void {
    this.#options = { ...this.#options, ...change };
    this.source.keep(this.#options);
    this.draw();
  }

  #cards(shown: EvaluationShown, label: string, look: Look): HTMLElement[] {
    const found: HTMLElement[] = [];
    for (const run of shown.runs) {
      if (run.confusion.length === 0) continue;
      const pick = (truth: string, output: string): void => {
        const title = `truth ${truth}, predicted ${output}, of ${run.name}`;
        this.#pick(run, { ...EVERYTHING, split: shown.split, run: run.run, of: "confusion", truth, output }, title);
      };
      found.push(confusionView(run, shown.labels, this.#options.shares, pick));
    }
    const of = (kind: string): Stroke[] =>
      shown.runs.flatMap((run) =>
        run.curves
          .filter((curve) => curve.kind === kind && curve.label === label)
          .map(({ x, y }) => ({ name: run.name, ...look(run.run), x, y })),
      );
    const unit = { x: UNIT, y: UNIT };
    const dots = (x: (dot: ThresholdDot) => number, y: (dot: ThresholdDot) => number): Spot[] =>
      this.#thresholds(shown, label, look, x, y);
    const roc = of("roc");
    const whose = shown.labels.length > 2 ? ` of ${label}` : "";
    if (roc.length > 0) {
      const axes = { across: "false positive rate", up: "true positive rate" };
      found.push(
        plotView({ title: `ROC${whose}`, ...axes, ...unit, strokes: roc, rule: "up", spots: dots(fpr, recall) }),
      );
      const other = { across: "recall", up: "precision" };
      const strokes = of("precision_recall");
      const spots = dots(recall, precision);
      found.push(plotView({ title: `precision over recall${whose}`, ...other, ...unit, strokes, rule: "none", spots }));
    }
    const calibrated = this.#calibration(shown, label, look);
    if (calibrated) found.push(calibrated);
    for (const run of shown.runs) {
      if (run.scatter?.length) found.push(this.#scatter(shown, run, look(run.run).colour));
      if (shown.edges.length > 1) found.push(this.#residuals(shown, run, look(run.run).colour));
    }
    // a file of an earlier celltrail has none
    for (const run of shown.runs) if (run.fairness) found.push(fairnessView(run, run.fairness, look(run.run).colour));
    return found;
  }

  /** Thresholds on a curve: the same one stands on the ROC and on precision over recall. */
  #thresholds(
    { split, runs }: EvaluationShown,
    label: string,
    look: Look,
    x: (dot: ThresholdDot) => number,
    y: (dot: ThresholdDot) => number,
  ): Spot[] {
    const { across, up } = scales(UNIT, UNIT);
    return runs.flatMap((run) =>
      (run.dots ?? []) // a file of an earlier celltrail has none
        .filter((dot) => dot.label === label)
        .map((dot) => {
          const from = formatTyped(dot.threshold);
          const rates = `finds ${share(dot.recall)}, ${share(dot.precision)} of what it finds is right`;
          const asked = { ...EVERYTHING, split, run: run.run, of: "threshold" as const, truth: label };
          const title = `wrong at the threshold ${from} for ${label}, of ${run.name}`;
          return {
            key: `${run.run} ${dot.threshold}`,
            said: `${run.name}: threshold ${from} ${rates}`,
            colour: look(run.run).colour,
            shape: draw("circle", { cx: across(x(dot)), cy: up(y(dot)), r: 4 }),
            act: () => this.#pick(run, { ...asked, low: dot.threshold }, title, `${run.run} ${dot.threshold}`),
          };
        }),
    );
  }

  /** Truth against prediction: a dot is the rows around it, as large as there are many. */
  #scatter({ span, split }: EvaluationShown, run: EvaluatedRun, colour: string): HTMLElement {
    const ends = [span[0] ?? 0, span[1] ?? 1] as const;
    const { across, up } = scales(ends, ends);
    const most = Math.max(...run.scatter.map((bin) => bin.rows));
    const bins = [...run.scatter].sort((a, b) => a.low - b.low || a.output_low - b.output_low);
    const spots = bins.map(({ truth, output, rows, ...range }) => {
      const places = { cx: across(truth), cy: up(output), r: 2.5 + 6 * Math.sqrt(rows / most) };
      const said = `truth ${formatTyped(truth)}, predicted ${formatTyped(output)}: ${count(rows, "row")}`;
      const key = `${run.run} ${range.low} ${range.output_low}`;
      const asked = { ...EVERYTHING, split, run: run.run, of: "scatter" as const, ...range };
      const act = (): void => this.#pick(run, asked, `${said}, of ${run.name}`, key);
      return { key, said, colour, shape: draw("circle", { ...places, "fill-opacity": 0.75 }), act };
    });
    const axes = { across: "true", up: "predicted" };
    const title = `predicted over true of ${run.name}`;
    return plotView({ title, ...axes, x: ends, y: ends, strokes: [], rule: "up", spots });
  }

  #calibration(shown: EvaluationShown, label: string, look: Look): HTMLElement | null {
    const { across, up } = scales(UNIT, UNIT);
    const strokes: Stroke[] = [];
    const spots: Spot[] = [];
    for (const run of shown.runs) {
      const bins = run.bins.filter((bin) => bin.label === label);
      if (bins.length === 0) continue;
      const { colour, dash } = look(run.run);
      strokes.push({
        name: run.name,
        colour,
        dash,
        x: bins.map((bin) => bin.predicted),
        y: bins.map((bin) => bin.observed),
      });
      for (const bin of bins) {
        const range = `${formatTyped(bin.low)} to ${formatTyped(bin.high)}`;
        const said = `${run.name}: predicted ${range}, came true ${formatTyped(bin.observed)} of ${count(bin.rows, "row")}`;
        const shape = draw("circle", {
          cx: across(bin.predicted),
          cy: up(bin.observed),
          r: Math.min(9, 3 + Math.sqrt(bin.rows) / 4),
        });
        const asked = { ...EVERYTHING, split: shown.split, run: run.run, of: "calibration" as const, truth: label };
        const key = `${run.run} calibration ${bin.low}`;
        const title = `predicted ${range} for ${label}, of ${run.name}`;
        const act = (): void => this.#pick(run, { ...asked, low: bin.low, high: bin.high }, title, key);
        spots.push({ key, said, colour, shape, act });
      }
    }
    if (strokes.length === 0) return null;
    const title = `calibration${shown.labels.length > 2 ? ` of ${label}` : ""}`;
    const axes = { across: "predicted probability", up: "observed share" };
    return plotView({ title, ...axes, x: UNIT, y: UNIT, strokes, rule: "up", spots });
  }

  #residuals({ edges, split }: EvaluationShown, run: EvaluatedRun, colour: string): HTMLElement {
    const most = Math.max(1, ...run.residuals);
    const x = [edges[0] ?? 0, edges.at(-1) ?? 1] as const;
    const y = [0, most] as const;
    const { across, up } = scales(x, y);
    const spots = run.residuals.flatMap((n, at) => {
      const [low, high] = [edges[at] ?? 0, edges[at + 1] ?? 0];
      if (n === 0) return [];
      const range = `${formatTyped(low)} to ${formatTyped(high)}`;
      const bar = { x: across(low) + 0.5, y: up(n), width: Math.max(1, across(high) - across(low) - 1) };
      const shape = draw("rect", { ...bar, height: Math.max(1, up(0) - up(n)) });
      const asked = { ...EVERYTHING, split, run: run.run, of: "residuals" as const, low, high };
      const key = `${run.run} residuals ${at}`;
      const act = (): void => this.#pick(run, asked, `predicted minus true ${range}, of ${run.name}`, key);
      return [{ key, said: `${range}: ${count(n, "row")}`, colour, shape, act }];
    });
    const axes = { across: "predicted minus true", up: "rows" };
    return plotView({ title: `residuals of ${run.name}`, ...axes, x, y, strokes: [], rule: "none", spots });
  }

  #pick(run: EvaluatedRun, asked: Picking, title: string, key = ""): void {
    this.#chosen = key;
    this.#mark();
    const turn = ++this.#turn;
    const show = (rows: HTMLElement): void => {
      if (turn === this.#turn) this.#rows.replaceChildren(rows);
    };
    if (this.source.isSaved) {
      const kept = keptRows(run, asked);
      const none = kept.length === 0 ? "none of these rows is in the file" : "of the rows that are in the file";
      show(rowsView(title, run.heads, kept, `${none}: run the cell again to see all`));
      return;
    }
    this.source.pick(asked).then(
      (content) => show(rowsView(title, content.heads, content.rows, moreOf(content))),
      (error: Error) => show(element("p", { class: "ct-error", role: "alert" }, error.message)),
    );
  }

  /** Shows which spots stand for the rows that are shown. */
  #mark(): void {
    for (const spot of this.#body.querySelectorAll<SVGElement>(".spot"))
      spot.setAttribute("aria-pressed", String(spot.dataset.key === this.#chosen));
  }

  /** Before anything is chosen: where the first run is most wrong. */
  #worst({ runs }: EvaluationShown): void {
    const [run] = runs;
    this.#turn += 1;
    if (!run || run.worst.length === 0) this.#rows.replaceChildren();
    else this.#rows.replaceChildren(rowsView(`most wrong, of ${run.name}`, run.heads, run.worst.slice(0, 12), HINT));
  }
}

type Look = (run: string) => { colour: string; dash: string };

const HINT = "a click on a cell, a dot or a bar shows the rows behind it";
const EVERYTHING = { truth: "", output: "", low: 0, high: 0, output_low: 0, output_high: 0 };
const fpr = (dot: ThresholdDot): number => dot.fpr;
const recall = (dot: ThresholdDot): number => dot.recall;
const precision = (dot: ThresholdDot): number => dot.precision;
const share = (value: number): string => `${Number((100 * value).toPrecision(3))} %`;

/** A short line in the colour of a run. */
function swatch(colour: string): HTMLElement {
  const made = element("span", { class: "swatch", "aria-hidden": "true" });
  made.style.background = colour;
  return made;
}

function fill(select: HTMLSelectElement, options: readonly string[], chosen: string): void {
  const told = JSON.stringify(options);
  if (select.dataset.told !== told) {
    select.dataset.told = told;
    select.replaceChildren(...options.map((value) => element("option", { value }, value)));
  }
  select.value = chosen;
}
