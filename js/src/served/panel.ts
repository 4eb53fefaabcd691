import type { RunState, SavedPanel } from "../contract.ts";
import { NOTHING_SAVED } from "../saved.ts";
import { serverSource, TrailServer } from "../server.ts";
import { element } from "../ui/element.ts";
import { tableSource } from "./table.ts";

export type ViewKind = "detail" | "compare" | "table";

/** Which panel of which runs; kept with the page, so that it is there again when that is loaded anew. */
export interface Shown {
  kind: ViewKind;
  trail: string;
  runs: string[];
  title: string;
}

const AGAIN_MS = 2000;

/** One name for what is shown, so that it is opened once. */
export function nameOf({ kind, trail, runs }: Shown): string {
  return [kind, trail, ...runs].join("-");
}

/**
 * Draws a panel into a place of the page and keeps it up to date, as long as the signal is not aborted.
 *
 * @param visible - whether anybody can see it: nothing is asked for while it is hidden
 * @param named - hears what the run is called, which a link to it does not say
 */
export function servedPanel(
  into: HTMLElement,
  shown: Shown,
  visible: () => boolean,
  signal: AbortSignal,
  named: (title: string) => void = () => {},
): void {
  void new ServedPanel(into, shown, visible, signal, named).begin();
}

class ServedPanel {
  readonly #trail: TrailServer;
  #payload: SavedPanel = NOTHING_SAVED;
  readonly #hearing = new Set<() => void>();

  constructor(
    private readonly into: HTMLElement,
    private readonly shown: Shown,
    private readonly visible: () => boolean,
    private readonly signal: AbortSignal,
    private readonly named: (title: string) => void,
  ) {
    this.#trail = new TrailServer(shown.trail);
  }

  /** In a tab of its own a panel may be as tall as that, and scrolls with it. */
  #roomy(): void {
    this.into.style.containerType = "size";
    this.into.style.setProperty("--celltrail-tall", "max(240px, 100cqh - 130px)");
    this.into.style.setProperty("--celltrail-sheet", "none");
  }

  async begin(): Promise<void> {
    const { signal } = this;
    this.#roomy();
    this.into.replaceChildren(element("p", {}, "asking the trail …"));
    try {
      await this.#show(signal);
    } catch (problem) {
      if (signal.aborted) return;
      const sentence = problem instanceof Error ? problem.message : String(problem);
      const again = element("button", { type: "button", class: "jp-Button jp-mod-styled" }, "try again");
      again.addEventListener("click", () => void this.begin(), { once: true });
      this.into.replaceChildren(element("p", { role: "alert" }, sentence), again);
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
        this.named(this.#payload.title);
        const live = isLive(this.#payload);
        // The curves of a run that goes on stand above, and grow.
        if (live) this.#payload = { ...this.#payload, series: [] };
        this.into.replaceChildren(into);
        mount(into, source(DETAIL), signal);
        if (live) await this.#watch(into, signal);
        return;
      }
      case "compare": {
        const { MEDIA } = await import("../panels/media.ts");
        const { mount } = await import("../panels/compare.ts");
        const comparison = await this.#trail.compare(runs);
        this.#payload = { ...NOTHING_SAVED, kind, trail: this.shown.trail, title: this.shown.title, comparison };
        this.into.replaceChildren(into);
        mount(into, source(MEDIA), signal);
        return;
      }
      case "table": {
        const { mount } = await import("../panels/table.ts");
        const table = await tableSource(this.#trail, this.visible);
        this.into.replaceChildren(into);
        mount(into, table, signal);
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
    const panel = detail.querySelector(".celltrail");
    panel?.toggleAttribute("data-below", true); // the chart above has said already what run it is
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
      if (!this.visible() || signal.aborted) continue;
      await this.#read(this.shown.runs[0] ?? "");
      if (!isLive(this.#payload)) break;
      this.#payload = { ...this.#payload, series: [] };
      this.#tell();
    }
    if (signal.aborted) return;
    live.abort();
    above.remove();
    panel?.toggleAttribute("data-below", false);
    this.#tell();
  }

  #tell(): void {
    for (const hear of this.#hearing) hear();
  }

  async #read(run: string): Promise<void> {
    this.#payload = await this.#trail.run(run, this.signal);
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
