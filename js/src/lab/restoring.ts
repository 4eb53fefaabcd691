import type { JupyterFrontEnd, JupyterFrontEndPlugin } from "@jupyterlab/application";
import { INotebookTracker, NotebookActions, type NotebookPanel } from "@jupyterlab/notebook";
import { RESTORE, type Wanted } from "../ui/detail/restoring.ts";

/** Executions that a panel brings back become new cells: below the panel's own cell, else below the active one. */
export const restoring: JupyterFrontEndPlugin<void> = {
  id: "celltrail:restoring",
  description: "New cells with what ran earlier",
  autoStart: true,
  requires: [INotebookTracker],
  activate(app: JupyterFrontEnd, notebooks: INotebookTracker) {
    document.addEventListener(RESTORE, (event) => {
      const from = event.target as Node;
      const holder = notebooks.find(({ node }) => node.contains(from)) ?? notebooks.currentWidget;
      if (!holder) return;
      event.preventDefault();
      insert(holder, from, (event as CustomEvent<Wanted[]>).detail);
      app.shell.activateById(holder.id);
    });
  },
};

function insert({ content }: NotebookPanel, from: Node, wanted: readonly Wanted[]): void {
  const own = content.widgets.findIndex(({ node }) => node.contains(from));
  if (own >= 0) content.activeCellIndex = own;
  for (const { id, code } of wanted) {
    NotebookActions.insertBelow(content);
    const cell = content.activeCell?.model;
    cell?.sharedModel.setSource(code);
    cell?.setMetadata("celltrail", { restored_from: id });
  }
}
