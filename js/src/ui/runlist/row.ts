import type { MetricSummary, RunRow } from "../../contract.ts";
import { element, say, tell } from "../element.ts";
import { formatAgo, formatDuration, formatMoment, formatReal } from "../format.ts";
import { showStatus } from "../status.ts";
import { spark } from "../table/spark.ts";

// What people look at first, by the last part of a metric's name; validation before training.
const FIRST = ["acc", "accuracy", "f1", "auc", "reward", "score", "loss", "rmse", "mae", "perplexity"];

/** The metric that tells most about a run in one line, if it has any. */
export function foremost(metrics: Record<string, MetricSummary>): string | undefined {
  const rank = (name: string): number => {
    const parts = name.split("/");
    const last = parts.at(-1) ?? "";
    const at = FIRST.findIndex((word) => last === word || last.endsWith(`_${word}`));
    const split = /^(val|valid|validation|test|eval)/.test(name) ? 0 : 0.5;
    return (at < 0 ? FIRST.length : at) + split;
  };
  const names = Object.keys(metrics).filter((name) => !name.startsWith("sys/"));
  return names.sort((a, b) => rank(a) - rank(b))[0];
}

/** One run of the list; its element stays the same while its facts change. */
export class RunItem {
  readonly el: HTMLElement;
  readonly #status = element("span", { class: "ct-status" });
  readonly #name = element("span", { class: "ct-rl-name" });
  readonly #when = element("span", { class: "ct-muted ct-rl-when" });
  readonly #metric = element("span", { class: "ct-rl-metric" });
  readonly #spark = element("span", { class: "ct-rl-spark" });
  readonly #tags = element("span", { class: "ct-muted ct-rl-tags" });
  readonly #where = element("span", { class: "ct-muted ct-rl-trail" });
  #drawn = "";

  constructor(
    public row: RunRow,
    readonly trail: string,
  ) {
    const first = element("div", { class: "ct-rl-line" }, this.#status, this.#name, this.#when);
    const second = element("div", { class: "ct-rl-line ct-rl-second" });
    second.append(this.#metric, this.#where, this.#tags, this.#spark);
    this.el = element("div", {
      class: "ct-rl-row",
      role: "option",
      tabindex: -1,
      draggable: "true",
      "aria-selected": "false",
    });
    this.el.append(first, second);
  }

  /** What tells it from all others: a run that was merged is in two trails. */
  get key(): string {
    return `${this.trail}/${this.row.id}`;
  }

  /** @param trail - the words for its trail; "" where there is only one to see */
  show(row: RunRow, now: number, trail: string): void {
    this.row = row;
    tell(this.#where, trail && `in ${trail}`);
    this.#where.title = trail && `in the trail of ${trail}`;
    showStatus(this.#status, row.status);
    say(this.#name, row.name);
    this.#name.title = row.error ?? row.note ?? row.name;
    const age = formatAgo(row.created, now);
    say(this.#when, row.status === "running" ? formatDuration(now - row.created) : age);
    this.#when.title = formatMoment(row.created);
    const name = foremost(row.metrics);
    const metric = name === undefined ? undefined : row.metrics[name];
    tell(this.#metric, name === undefined || !metric ? "" : `${name} ${formatReal(metric.last)}`);
    tell(this.#tags, row.tags.join(", "));
    const line = JSON.stringify(metric?.spark ?? []);
    if (line === this.#drawn) return;
    this.#drawn = line;
    this.#spark.replaceChildren(...(metric && metric.spark.length > 1 ? [spark(metric.spark)] : []));
  }

  select(on: boolean): void {
    this.el.setAttribute("aria-selected", String(on));
  }
}
