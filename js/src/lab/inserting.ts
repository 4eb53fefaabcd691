import { NotebookActions, type NotebookPanel } from "@jupyterlab/notebook";
import { DRAGGED } from "../ui/runlist/dragged.ts";

/** A cell with the line that loads a run, below the active one. */
export function insertCode({ content }: NotebookPanel, call: string): void {
  NotebookActions.insertBelow(content);
  content.activeCell?.model.sharedModel.setSource(`import celltrail as ct\n\n${call}`);
}

/** A run let go of beside the text of a cell becomes a cell: below the one it was over, else at the end. */
export function takeDropped(panel: NotebookPanel): void {
  const { content } = panel;
  const isOurs = (event: DragEvent): boolean =>
    event.dataTransfer?.types.includes(DRAGGED) === true && !(event.target as Element).closest(".cm-content");
  content.node.addEventListener("dragover", (event) => {
    if (!isOurs(event)) return;
    event.preventDefault();
    if (event.dataTransfer) event.dataTransfer.dropEffect = "copy";
  });
  content.node.addEventListener("drop", (event) => {
    if (!isOurs(event)) return;
    event.preventDefault();
    const over = content.widgets.findIndex((cell) => cell.node.contains(event.target as Node));
    content.activeCellIndex = over < 0 ? content.widgets.length - 1 : over;
    insertCode(panel, event.dataTransfer?.getData(DRAGGED) ?? "");
  });
}
