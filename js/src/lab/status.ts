import type { JupyterFrontEnd, JupyterFrontEndPlugin } from "@jupyterlab/application";
import { INotebookTracker, type NotebookPanel } from "@jupyterlab/notebook";
import { IStatusBar } from "@jupyterlab/statusbar";
import { Signal } from "@lumino/signaling";
import { Widget } from "@lumino/widgets";
import type { RunState } from "../contract.ts";
import { element, say } from "../ui/element.ts";
import { current, runsHeard, sentence } from "./heard.ts";

/** Current run, step and last loss of the notebook in front, learnt by listening along with its panels. */
export const status: JupyterFrontEndPlugin<void> = {
  id: "celltrail:status",
  description: "Current run, step and last loss in the status bar",
  autoStart: true,
  requires: [INotebookTracker],
  optional: [IStatusBar],
  activate(_: JupyterFrontEnd, notebooks: INotebookTracker, bar: IStatusBar | null) {
    if (!bar) return;
    const told = new WeakMap<NotebookPanel, RunState>();
    const item = new Item();
    const show = (): void => item.tell(notebooks.currentWidget ? told.get(notebooks.currentWidget) : undefined);

    notebooks.widgetAdded.connect((_, panel) => {
      panel.sessionContext.iopubMessage.connect((_, message) => {
        const run = current(runsHeard(message));
        if (!run) return;
        told.set(panel, run);
        show();
      });
      const forget = (): void => {
        told.delete(panel);
        show();
      };
      panel.sessionContext.kernelChanged.connect(forget);
      panel.sessionContext.statusChanged.connect((_, kernel) => {
        if (kernel === "restarting" || kernel === "autorestarting" || kernel === "dead") forget();
      });
    });
    notebooks.currentChanged.connect(show);
    bar.registerStatusItem("celltrail:status", {
      item,
      align: "left",
      rank: 5,
      isActive: () => item.isActive,
      activeStateChanged: item.activeStateChanged,
    });
  },
};

class Item extends Widget {
  readonly activeStateChanged = new Signal<this, void>(this);
  isActive = false;
  readonly #text = element("span", { class: "jp-StatusBar-TextItem" });

  constructor() {
    super();
    this.addClass("celltrail-status");
    this.node.append(this.#text);
  }

  tell(run: RunState | undefined): void {
    say(this.#text, run ? sentence(run) : "");
    this.title.caption = run ? `celltrail: ${run.name} is ${run.status}` : "";
    this.#text.title = this.title.caption;
    if (this.isActive === (run !== undefined)) return;
    this.isActive = run !== undefined;
    this.activeStateChanged.emit();
  }
}
