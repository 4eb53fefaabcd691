import { ILabShell, ILayoutRestorer, type JupyterFrontEnd, type JupyterFrontEndPlugin } from "@jupyterlab/application";
import { ICommandPalette, type MainAreaWidget, WidgetTracker } from "@jupyterlab/apputils";
import { INotebookTracker, NotebookActions } from "@jupyterlab/notebook";
import { Widget } from "@lumino/widgets";
import { hello, TrailServer } from "../server.ts";
import { runsIcon } from "./icon.ts";
import { type Shown, tabOf, type ViewKind } from "./tabs.ts";

const OPEN = "celltrail:open";
const SHOW = "celltrail:show-runs";
const RANK = 620;
const SOON_MS = 700;

/** Runs of all trails in reach in the left side bar and in tabs of the main area, with no kernel started. */
export const runs: JupyterFrontEndPlugin<void> = {
  id: "celltrail:runs",
  description: "The runs of all trails in reach, in the side bar",
  autoStart: true,
  optional: [ILabShell, ILayoutRestorer, INotebookTracker, ICommandPalette],
  activate(
    app: JupyterFrontEnd,
    lab: ILabShell | null,
    restorer: ILayoutRestorer | null,
    notebooks: INotebookTracker | null,
    palette: ICommandPalette | null,
  ) {
    const tabs = new WidgetTracker<MainAreaWidget>({ namespace: "celltrail" });
    const side = new Side(app, notebooks);
    app.commands.addCommand(OPEN, {
      label: "Open Run",
      execute: async (args) => {
        const shown = args as unknown as Shown;
        const id = `celltrail-${shown.kind}-${shown.trail}-${shown.runs.join("-")}`;
        const known = tabs.find((tab) => tab.id === id);
        const tab = known ?? tabOf(shown, id);
        if (!known) {
          await tabs.add(tab);
          app.shell.add(tab, lab ? "main" : "down"); // Notebook 7 has one document in its main area
        }
        app.shell.activateById(tab.id);
      },
    });
    app.commands.addCommand(SHOW, {
      label: "Show Runs",
      execute: () => {
        if (!side.isAttached) app.shell.add(side, "left", { rank: RANK });
        app.shell.activateById(side.id);
      },
    });
    palette?.addItem({ command: SHOW, category: "celltrail" });
    app.shell.add(side, "left", { rank: RANK });
    if (!restorer) return;
    restorer.add(side, side.id);
    void restorer.restore(tabs, {
      command: OPEN,
      args: (tab) => ({ ...JSON.parse(tab.node.dataset.shown ?? "{}") }),
      name: (tab) => tab.id,
    });
  },
};

/** The side bar's panel; what it shows is loaded when it is first looked at. */
class Side extends Widget {
  readonly #end = new AbortController();
  #list: Promise<{ look(): void }> | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly app: JupyterFrontEnd,
    private readonly notebooks: INotebookTracker | null,
  ) {
    super();
    this.id = "celltrail-runs";
    this.addClass("celltrail-runs");
    this.title.caption = "Runs (celltrail)";
    this.title.icon = runsIcon(20);
    this.node.setAttribute("role", "region");
    this.node.setAttribute("aria-label", "celltrail runs");
    // A run begins with a cell of this page more often than not: seen at once, not with the next look.
    NotebookActions.executionScheduled.connect(this.#soon, this);
    NotebookActions.executed.connect(this.#soon, this);
  }

  override dispose(): void {
    if (this.isDisposed) return;
    NotebookActions.executionScheduled.disconnect(this.#soon, this);
    NotebookActions.executed.disconnect(this.#soon, this);
    clearTimeout(this.#timer);
    this.#end.abort();
    super.dispose();
  }

  protected override onAfterShow(): void {
    this.#look();
  }

  #soon(): void {
    if (!this.isVisible) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#look(), SOON_MS);
  }

  #look(): void {
    this.#list ??= this.#load();
    void this.#list.then((list) => list.look());
  }

  async #load(): Promise<{ look(): void }> {
    const { runList } = await import("../ui/runlist/list.ts");
    const of = (trail: string): TrailServer => new TrailServer(trail);
    const open = (kind: ViewKind, trail: string, some: readonly string[], title: string): void => {
      void this.app.commands.execute(OPEN, { kind, trail, runs: [...some], title });
    };
    let edits = 0;
    return runList(
      this.node,
      {
        async trails() {
          const said = await hello();
          if (!said) throw new Error("this Jupyter server has no celltrail: install it where the server runs");
          return said.trails;
        },
        rows: (trail, where, offset, limit, signal) => of(trail).rows({ where, offset, limit }, signal),
        complete: (trail, where, cursor) => of(trail).complete(where, cursor),
        open: (trail, run) => open("detail", trail, [run.id], run.name),
        compare: (trail, some) => open("compare", trail, some, `${some.length} runs`),
        table: (trail) => open("table", trail, [], "runs"),
        insert: (some) => this.#insert(some),
        async change(trail, some, what, text) {
          const id = `side-${Date.now()}-${++edits}`;
          const { said } = await of(trail).change({ kind: "edit", id, runs: [...some], do: what, text });
          return said ?? "";
        },
        visible: () => this.isVisible && !document.hidden,
      },
      this.#end.signal,
    );
  }

  #insert(some: readonly string[]): string {
    const panel = this.notebooks?.currentWidget;
    if (!panel) return "open a notebook first: the code goes below its active cell";
    const names = some.map((run) => JSON.stringify(run));
    const call = names.length === 1 ? `ct.run(${names[0]})` : `ct.compare(${names.join(", ")})`;
    NotebookActions.insertBelow(panel.content);
    panel.content.activeCell?.model.sharedModel.setSource(`import celltrail as ct\n\n${call}`);
    this.app.shell.activateById(panel.id);
    return "";
  }
}
