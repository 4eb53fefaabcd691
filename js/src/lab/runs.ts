import { ILabShell, ILayoutRestorer, type JupyterFrontEnd, type JupyterFrontEndPlugin } from "@jupyterlab/application";
import { ICommandPalette, type MainAreaWidget, WidgetTracker } from "@jupyterlab/apputils";
import { INotebookTracker, NotebookActions } from "@jupyterlab/notebook";
import { ISettingRegistry } from "@jupyterlab/settingregistry";
import { Widget } from "@lumino/widgets";
import { nameOf, type Shown } from "../served/panel.ts";
import { runsIcon } from "./icon.ts";
import { insertCode, takeDropped } from "./inserting.ts";
import { tabOf } from "./tabs.ts";

const ID = "celltrail:runs";
const REFRESH_S = 2;
const OPEN = "celltrail:open";
const SHOW = "celltrail:show-runs";
const RANK = 620;
const SOON_MS = 700;

/** Runs of all trails in reach in the left side bar and in tabs of the main area, with no kernel started. */
export const runs: JupyterFrontEndPlugin<void> = {
  id: ID,
  description: "The runs of all trails in reach, in the side bar",
  autoStart: true,
  optional: [ILabShell, ILayoutRestorer, INotebookTracker, ICommandPalette, ISettingRegistry],
  activate(
    app: JupyterFrontEnd,
    lab: ILabShell | null,
    restorer: ILayoutRestorer | null,
    notebooks: INotebookTracker | null,
    palette: ICommandPalette | null,
    registry: ISettingRegistry | null,
  ) {
    const tabs = new WidgetTracker<MainAreaWidget>({ namespace: "celltrail" });
    const side = new Side(app, notebooks, registry?.load(ID).catch(() => null) ?? Promise.resolve(null));
    app.commands.addCommand(OPEN, {
      label: "Open Run",
      execute: async (args) => {
        const shown = args as unknown as Shown;
        const id = `celltrail-${nameOf(shown)}`;
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
    notebooks?.forEach(takeDropped);
    notebooks?.widgetAdded.connect((_, panel) => takeDropped(panel));
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
    private readonly settings: Promise<ISettingRegistry.ISettings | null>,
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
    const [{ runList }, { GROUPINGS }, { servedList }] = await Promise.all([
      import("../ui/runlist/list.ts"),
      import("../ui/runlist/groups.ts"),
      import("../served/list.ts"),
    ]);
    const settings = await this.settings;
    const grouped = GROUPINGS.find((by) => by === settings?.get("group").composite) ?? "nothing";
    const owner = servedList({
      grouped,
      pause: () => Number(settings?.get("refresh").composite ?? REFRESH_S) * 1000,
      near: () => this.notebooks?.currentWidget?.context.path ?? "",
      open: (shown) => void this.app.commands.execute(OPEN, { ...shown }),
      code: {
        label: "insert code",
        title: "the line that loads it, into the notebook in front",
        take: (_, call) => this.#insert(call),
      },
      visible: () => this.isVisible && !document.hidden,
    });
    return runList(this.node, owner, this.#end.signal);
  }

  #insert(call: string): string {
    const panel = this.notebooks?.currentWidget;
    if (!panel) return "open a notebook first: the code goes below its active cell";
    insertCode(panel, call);
    this.app.shell.activateById(panel.id);
    return "";
  }
}
