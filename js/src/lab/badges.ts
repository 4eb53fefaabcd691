import type { JupyterFrontEnd } from "@jupyterlab/application";
import { NotebookActions, type NotebookPanel } from "@jupyterlab/notebook";
import { type CellRun, MIME, type RunState, type SavedPanel, type Trail } from "../contract.ts";
import { hello, TrailServer } from "../server.ts";
import { element } from "../ui/element.ts";
import { runsHeard, sentence } from "./heard.ts";
import { below, nearest } from "./nearest.ts";

type Cell = NotebookPanel["content"]["widgets"][number];

const SOON_MS = 700;
const AGAIN_MS = 2000;
const LOOKS = 8; // for a trail that has just come to be: a server looks for them every few seconds
const MARKS = { running: "▶", finished: "✓", failed: "✗", interrupted: "■", killed: "†" } as const;
const STYLES = `
.jp-InputArea-editor:has(> .celltrail-badge) { padding-bottom: 24px; position: relative; }
.celltrail-badge {
  background: var(--jp-cell-editor-background); border: 1px solid var(--jp-border-color2); border-radius: 9px; bottom: 1px;
  color: var(--jp-ui-font-color1); cursor: pointer; font: 11px/16px var(--jp-ui-font-family); max-width: 60%; overflow: hidden;
  padding: 0 8px; position: absolute; right: 4px; text-overflow: ellipsis; white-space: nowrap; z-index: 1;
}
.celltrail-badge:hover, .celltrail-badge:focus-visible { border-color: var(--jp-brand-color1); outline: none; }
.celltrail-badge[data-stale=true] { border-style: dashed; }
`;

/** What is known of the runs of one notebook's cells, drawn on them; never a word of it goes into the document. */
export class Badges {
  static readonly #of = new WeakMap<NotebookPanel, Badges>();
  readonly #made = new Map<Cell, HTMLButtonElement>();
  readonly #live = new Map<string, RunState>();
  #runs = new Map<string, CellRun>();
  #stale = new Map<string, string>(); // run id -> why it does not hold any more
  #trail: Trail | undefined;
  #shown = true;
  #looks = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  static on(panel: NotebookPanel, app: JupyterFrontEnd): Badges {
    const known = Badges.#of.get(panel) ?? new Badges(panel, app);
    Badges.#of.set(panel, known);
    return known;
  }

  private constructor(
    private readonly panel: NotebookPanel,
    private readonly app: JupyterFrontEnd,
  ) {
    if (!document.getElementById("celltrail-badges"))
      document.head.append(element("style", { id: "celltrail-badges" }, STYLES));
    const soon = (_: unknown, { notebook }: { notebook: unknown }): void => {
      if (notebook !== panel.content) return;
      this.#looks = LOOKS;
      this.#again(SOON_MS);
    };
    NotebookActions.executionScheduled.connect(soon);
    NotebookActions.executed.connect(soon);
    panel.sessionContext.iopubMessage.connect((_, message) => {
      const heard = runsHeard(message);
      for (const state of heard) this.#live.set(state.run, state);
      if (heard.length > 0) this.#draw();
    });
    // What stands in the file is what a run is held against.
    panel.context.saveState.connect((_, state) => state === "completed" && void this.#hold());
    panel.disposed.connect(() => {
      NotebookActions.executionScheduled.disconnect(soon);
      NotebookActions.executed.disconnect(soon);
      clearTimeout(this.#timer);
    });
    void panel.context.ready.then(() => this.look());
  }

  show(on: boolean): void {
    this.#shown = on;
    this.#draw();
  }

  /** The newest run of a cell, and where it is. */
  runOf(cell: Cell | null): { trail: string; run: CellRun } | undefined {
    const run = cell ? this.#runs.get(cell.model.id) : undefined;
    return run && this.#trail ? { trail: this.#trail.id, run } : undefined;
  }

  /** The runs of this notebook that go on. */
  running(): { trail: string; runs: CellRun[] } {
    const runs = [...this.#runs.values()].filter((run) => this.#status(run) === "running");
    return { trail: this.#trail?.id ?? "", runs };
  }

  async look(): Promise<void> {
    if (this.panel.isDisposed) return;
    try {
      const { path } = this.panel.context;
      this.#trail ??= nearest((await hello(path))?.trails ?? [], path);
      if (!this.#trail) {
        if (this.#looks-- > 0) this.#again(AGAIN_MS);
        return;
      }
      const found = await new TrailServer(this.#trail.id).cells(below(this.#trail, path));
      this.#runs = new Map(found.map((run) => [run.cell, run]));
    } catch {
      return; // no such extension, or a server that restarts: the notebook is as it would be without
    }
    this.#draw();
    if (this.running().runs.length > 0) this.#again(AGAIN_MS);
    else await this.#hold();
  }

  /** Which of the runs do not hold any more; it takes longer to tell than how they stand. */
  async #hold(): Promise<void> {
    const runs = [...this.#runs.values()].map(({ run }) => run);
    if (!this.#trail || !this.#shown || runs.length === 0) return;
    try {
      const asked = { kind: "hold", id: `badges-${runs.length}`, runs } as const;
      const { stale } = await new TrailServer(this.#trail.id).question(asked, "");
      this.#stale = new Map(Object.entries(stale ?? {}));
    } catch {
      return; // who cannot be told sees what a run says that holds
    }
    if (!this.panel.isDisposed) this.#draw();
  }

  #again(wait: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => (this.panel.isVisible && !document.hidden ? this.look() : this.#again(wait)), wait);
  }

  #status({ run, status }: CellRun): CellRun["status"] {
    return this.#live.get(run)?.status ?? status;
  }

  #draw(): void {
    for (const cell of this.panel.content.widgets) {
      const found = this.#shown ? this.#runs.get(cell.model.id) : undefined;
      const place = cell.inputArea?.editorWidget?.node;
      if (!found || !place) {
        this.#made.get(cell)?.remove();
        if (found) void cell.ready.then(() => this.#draw());
        continue;
      }
      const badge = this.#made.get(cell) ?? this.#make(cell);
      if (badge.parentElement !== place) place.append(badge);
      const why = this.#stale.get(found.run);
      this.#tell(badge, found, why ? [`stale: ${why}`] : hintsOf(cell));
    }
  }

  #make(cell: Cell): HTMLButtonElement {
    const badge = element("button", { type: "button", class: "celltrail-badge", "data-lm-suppress-shortcuts": "true" });
    badge.addEventListener("click", () => {
      const found = this.runOf(cell);
      if (!found) return;
      const { trail, run } = found;
      void this.app.commands.execute("celltrail:open", { kind: "detail", trail, runs: [run.run], title: run.name });
    });
    this.#made.set(cell, badge);
    cell.disposed.connect(() => this.#made.delete(cell));
    return badge;
  }

  #tell(badge: HTMLButtonElement, run: CellRun, hints: readonly string[]): void {
    const live = this.#live.get(run.run);
    const status = this.#status(run);
    const told = live ? sentence({ ...live, status: "running" }) : [run.name, run.said].filter(Boolean).join(" · ");
    const more = [hints.length > 0 ? "stale" : "", run.already ? "ran before" : ""].filter(Boolean);
    const text = [`${MARKS[status]} ${told}`, ...more].join(" · ");
    if (badge.textContent !== text) badge.textContent = text;
    badge.dataset.stale = String(hints.length > 0);
    badge.title = [`run ${run.name} ${status}; a click shows it`, run.already, ...hints].filter(Boolean).join("\n");
  }
}

/** Why a run does not hold any more, as its saved output says. */
function hintsOf(cell: Cell): string[] {
  const model = cell.model as { outputs?: { length: number; get(index: number): { data: Record<string, unknown> } } };
  const hints: string[] = [];
  for (let i = 0; i < (model.outputs?.length ?? 0); i++) {
    const payload = model.outputs?.get(i).data[MIME] as Partial<SavedPanel> | undefined;
    if (payload?.kind === "chart" && Array.isArray(payload.hints)) hints.push(...payload.hints.map(String));
  }
  return hints;
}
