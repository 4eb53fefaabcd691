import type { ChartOptions, Detail, DetailOptions, EvaluationOptions, MediaOptions, Section } from "../contract.ts";
import { widget } from "../kernel.ts";
import { savedSource } from "../saved.ts";
import type { Mount, Source } from "../source.ts";
import { controlStyles } from "../ui/controls.ts";
import { commentsView } from "../ui/detail/comments.ts";
import { executionsView } from "../ui/detail/executions.ts";
import { headView } from "../ui/detail/head.ts";
import { outputsView } from "../ui/detail/outputs.ts";
import { replayView } from "../ui/detail/replay.ts";
import { sectionViews } from "../ui/detail/sections.ts";
import { detailStyles } from "../ui/detail/styles.ts";
import { type Page, type Tabs, tabs } from "../ui/detail/tabs.ts";
import { element } from "../ui/element.ts";
import { panelRoot } from "../ui/root.ts";
import { CHART, mountPlots } from "./chart.ts";
import { EVALUATION, mount as mountEvaluation } from "./evaluation.ts";
import { MEDIA, mount as mountMedia } from "./media.ts";

export const DETAIL: DetailOptions = {
  tab: "",
  chart: { ...CHART, folded: ["sys"] },
  media: MEDIA,
  evaluation: EVALUATION,
};

/** All of one run: its curves, what it was given, what it showed, where it ran and what people said of it. */
export const mount: Mount<DetailOptions> = (into, source, signal) => {
  const { el } = panelRoot(into, controlStyles + detailStyles, "detail", signal);
  let inside = new AbortController();
  let drawn: { tabs: Tabs; head: HTMLElement; replay: string } | undefined;
  const draw = (): void => {
    const { detail, hints } = source.payload();
    if (!detail) {
      drawn = undefined;
      el.replaceChildren(element("p", { class: "ct-muted" }, "no run to show"));
      return;
    }
    const replay = JSON.stringify([detail.replay, detail.replayable]);
    // While it goes on only what changed is drawn anew: somebody reads, scrolls or writes in the rest.
    if (drawn?.replay === replay && drawn.tabs.renew(pages(detail, source, inside.signal))) {
      const head = headView(detail.run, hints);
      drawn.head.replaceWith(head);
      drawn.head = head;
      return;
    }
    inside.abort();
    inside = new AbortController();
    const keep = (tab: string): void => source.keep({ ...options(source), tab });
    const head = headView(detail.run, hints);
    const shown = tabs(pages(detail, source, inside.signal), options(source).tab, keep);
    el.replaceChildren(head, replayView(detail, source, inside.signal), shown.el);
    drawn = { tabs: shown, head, replay };
  };
  signal.addEventListener("abort", () => inside.abort());
  source.changed(draw, signal);
  draw();
};

function options(source: Source<DetailOptions>): DetailOptions {
  return { ...DETAIL, ...source.options() };
}

/** Curves first where it logged some; then the sections, by tab, with the code and the outputs after the summary. */
function pages(detail: Detail, source: Source<DetailOptions>, signal: AbortSignal): Page[] {
  const found: Page[] = [];
  const { series } = source.payload();
  const of = { ...source.payload(), detail: null };
  const charts = series.length > 0 ? [{ name: "charts", note: "", of, make: () => plots(source, signal) }] : [];
  const logged = series.some(({ metric }) => !metric.startsWith("sys/")); // else they are of the machine alone
  if (logged) found.push(...charts);
  const { media } = source.payload();
  if (media)
    found.push({
      name: "media",
      note: String(media.items.length),
      of: media,
      make: () => mediaView(source, signal),
    });
  const evaluated = source.payload().evaluations ?? []; // saved panels may lack them
  if (evaluated.length > 0) {
    found.push({ name: "evaluation", note: "", of: evaluated, make: () => evaluationView(source, signal) });
  }
  const names = [...new Set(detail.sections.map((section) => section.tab))];
  const bySection = names
    .map((tab) => tabPage(tab, detail.sections))
    .map((page) => (page.name === "lineage" ? lineagePage(page, detail.run.id, source, signal) : page));
  found.push(...bySection.slice(0, 1));
  if (detail.code) found.push({ name: "code", note: "", of: detail.code, make: () => sourceView(detail.code) });
  const shown = detail.outputs.length;
  if (shown > 0 || detail.traceback)
    found.push({
      name: "outputs",
      note: shown > 1 ? String(shown) : "",
      of: [detail.outputs, detail.traceback],
      make: () => outputsView(detail),
    });
  if (!logged) found.push(...charts);
  found.push(...bySection.slice(1), ...commentsPage(detail, source));
  return found;
}

function tabPage(tab: string, sections: readonly Section[]): Page {
  const ours = sections.filter((section) => section.tab === tab);
  return { name: tab, note: "", of: ours, make: () => sectionViews(ours) };
}

/** What people said about it, and where it can be kept a box to say something. */
function commentsPage({ run, comments = [] }: Detail, source: Source<DetailOptions>): Page[] {
  const say = source.kind === "kernel" ? (text: string) => source.ask({ kind: "comment", run: run.id, text }) : null;
  if (comments.length === 0 && !say) return [];
  const note = comments.length > 0 ? String(comments.length) : "";
  return [{ name: "comments", note, of: comments, make: () => commentsView(comments, say) }];
}

/** What ran for it, asked for when it is looked at, above what its lineage says in tables. */
function lineagePage(page: Page, run: string, source: Source<DetailOptions>, signal: AbortSignal): Page {
  const make = (): HTMLElement => {
    const place = element("div", {}, element("p", { class: "ct-muted" }, "asking what ran for it …"));
    source
      .ask({ kind: "trace", run })
      .then(({ executions }) => place.replaceChildren(...(executions ? [executionsView(executions, signal)] : [])))
      .catch((refusal: unknown) => {
        const why = refusal instanceof Error ? refusal.message : String(refusal);
        place.replaceChildren(element("p", { class: "ct-muted" }, `what ran for it is not in reach: ${why}`));
      });
    return element("div", {}, place, page.make());
  };
  return { ...page, make };
}

function sourceView(code: string): HTMLElement {
  const lines = code.replace(/\n$/, "").split("\n");
  const view = element("div", { class: "ct-source" });
  lines.forEach((line, at) => {
    view.append(element("span", { "aria-hidden": "true" }, String(at + 1)), element("code", {}, line || " "));
  });
  return view;
}

/** The items come when they are looked at; only how they are shown is kept. */
function mediaView(source: Source<DetailOptions>, signal: AbortSignal): HTMLElement {
  const held = element("div");
  const items = savedSource(source.payload(), options(source).media);
  const keep = (media: MediaOptions): void => {
    items.keep(media);
    source.keep({ ...options(source), media });
  };
  mountMedia(held, { ...items, keep, kind: source.kind, take: source.take }, signal);
  return held;
}

/** Rows come when something is clicked; only how it is shown is kept. */
function evaluationView(source: Source<DetailOptions>, signal: AbortSignal): HTMLElement {
  const held = element("div");
  const shown = savedSource(source.payload(), options(source).evaluation ?? EVALUATION);
  const keep = (evaluation: EvaluationOptions): void => {
    shown.keep(evaluation);
    source.keep({ ...options(source), evaluation });
  };
  mountEvaluation(held, { ...shown, keep, kind: source.kind, ask: source.ask }, signal);
  return held;
}

/** The points came with the panel; only how they are drawn is kept. */
function plots(source: Source<DetailOptions>, signal: AbortSignal): HTMLElement {
  const held = element("div");
  const { chart } = options(source);
  const points = savedSource<ChartOptions>({ ...source.payload(), kind: "chart", title: "" }, chart);
  const keep = (changed: ChartOptions): void => {
    points.keep(changed);
    source.keep({ ...options(source), chart: changed });
  };
  mountPlots(held, { ...points, keep, kind: source.kind, window: source.window, note: source.note }, signal);
  return held;
}

export default widget(mount);
