import { MainAreaWidget } from "@jupyterlab/apputils";
import { Widget } from "@lumino/widgets";
import type { RunState, SavedPanel } from "../contract.ts";
import { NOTHING_SAVED } from "../saved.ts";
import { serverSource, TrailServer } from "../server.ts";
import { element } from "../ui/element.ts";
import { runsIcon } from "./icon.ts";

export type ViewKind = "detail" | "compare" | "table";

/** What a tab shows; kept in the layout, so that it is there again when the page is loaded anew. */
export interface Shown {
  kind: ViewKind;
  trail: string;
  runs: string[];
  title: string;
}

const AGAIN_MS = 2000;
const MOST_ROWS = 500;

/** A tab of the main area with a panel that asks the server. */
export function tabOf(shown: Shown, id: string): MainAreaWidget {
  const content = new PanelTab(shown);
  const tab = new MainAreaWidget({ content });
  tab.id = id;
  tab.node.dataset.shown = JSON.stringify(shown);
  tab.title.label = shown.title;
  tab.title.caption = `celltrail: ${shown.title}`;
  tab.title.icon = runsIcon(14);
  tab.title.closable = true;
  tab.toolbar.hide();
  return tab;
}

class PanelTab extends Widget {
  readonly #end = new AbortController();
  readonly #trail: TrailServer;
  #payload: SavedPanel = NOTHING_SAVED;
  readonly #hearing = new Set<() => void>();

  constructor(private readonly shown: Shown) {
    super();
    this.addClass("celltrail-tab");
    this.node.style.overflow = "auto";
    this.node.style.padding = "8px 12px";
    this.#trail = new TrailServer(shown.trail);
    void this.#begin();
  }

  override dispose(): void {
    this.#end.abort();
    super.dispose();
  }

  async #begin(): Promise<void> {
    const { signal } = this.#end;
    try {
      await this.#show(signal);
    } catch (problem) {
      if (signal.aborted) return;
      const sentence = problem instanceof Error ? problem.message : String(problem);
      const again = element("button", { type: "button", class: "jp-Button jp-mod-styled" }, "try again");
      again.addEventListener("click", () => void this.#begin(), { once: true });
      this.node.replaceChildren(element("p", { role: "alert" }, sentence), again);
    }
  }

  async #show(signal: AbortSignal): Promise<void> {
    const { kind, runs } = this.shown;
    const into = element("div");
    const source = <Options>(options: Options) =>
      serverSource<Options>(
        this.#trail,
        () => this.#payload,
        options,
        (hear, until) => this.#listen(hear, until),
      );
    switch (kind) {
      case "detail": {
        const { DETAIL, mount } = await import("../panels/detail.ts");
        await this.#read(runs[0] ?? "");
        const live = isLive(this.#payload);
        // The curves of a run that goes on stand above, and grow.
        if (live) this.#payload = { ...this.#payload, series: [] };
        this.node.replaceChildren(into);
        mount(into, source(DETAIL), signal);
        if (live) await this.#watch(into, signal);
        return;
      }
      case "compare": {
        const { MEDIA } = await import("../panels/media.ts");
        const { mount } = await import("../panels/compare.ts");
        const comparison = await this.#trail.compare(runs);
        this.#payload = { ...NOTHING_SAVED, kind, trail: this.shown.trail, title: this.shown.title, comparison };
        this.node.replaceChildren(into);
        mount(into, source(MEDIA), signal);
        return;
      }
      case "table": {
        const { mount, TABLE } = await import("../panels/table.ts");
        const { rows, hints, total } = await this.#trail.rows({ where: "", limit: MOST_ROWS });
        if (total > rows.length) hints.push(`the newest ${rows.length} of ${total} runs; filter to find others`);
        const { trail, title } = this.shown;
        this.#payload = { ...NOTHING_SAVED, kind, trail, title, rows, hints, table: TABLE };
        this.node.replaceChildren(into);
        mount(into, source(TABLE), signal);
      }
    }
  }

  /** While the run goes on its curves grow above what is known of it; once it is over all is read again. */
  async #watch(detail: HTMLElement, signal: AbortSignal): Promise<void> {
    const { CHART, mount } = await import("../panels/chart.ts");
    const live = new AbortController();
    signal.addEventListener("abort", () => live.abort());
    const above = element("div");
    detail.before(above);
    const points = { ...this.#payload, kind: "chart" as const, series: [] };
    mount(
      above,
      serverSource(
        this.#trail,
        () => points,
        CHART,
        () => {},
      ),
      live.signal,
    );
    while (!signal.aborted && isLive(this.#payload)) {
      await new Promise((go) => setTimeout(go, AGAIN_MS));
      if (!this.isVisible || signal.aborted) continue;
      const [{ runs }] = await this.#trail.series(this.shown.runs, { width: 4 }, signal);
      if (!runs.some(goesOn)) break;
    }
    if (signal.aborted) return;
    live.abort();
    above.remove();
    await this.#read(this.shown.runs[0] ?? "");
    for (const hear of this.#hearing) hear();
  }

  async #read(run: string): Promise<void> {
    this.#payload = await this.#trail.run(run, this.#end.signal);
  }

  #listen(hear: () => void, until: AbortSignal): void {
    this.#hearing.add(hear);
    until.addEventListener("abort", () => this.#hearing.delete(hear), { once: true });
  }
}

function isLive(payload: SavedPanel): boolean {
  return payload.runs.some(goesOn);
}

function goesOn(state: RunState): boolean {
  return state.status === "running";
}
