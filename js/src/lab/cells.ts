import type { JupyterFrontEnd, JupyterFrontEndPlugin } from "@jupyterlab/application";
import { INotebookTracker, type NotebookPanel } from "@jupyterlab/notebook";
import { ISettingRegistry } from "@jupyterlab/settingregistry";
import { Badges } from "./badges.ts";

const ID = "celltrail:cells";

/** On each cell that ran as a run a badge: how that stands, its last metric, and why it may not hold any more. */
export const cells: JupyterFrontEndPlugin<void> = {
  id: ID,
  description: "Badges on tracked cells",
  autoStart: true,
  requires: [INotebookTracker],
  optional: [ISettingRegistry],
  activate(app: JupyterFrontEnd, notebooks: INotebookTracker, registry: ISettingRegistry | null) {
    let shown = true;
    const add = (panel: NotebookPanel): void => {
      const badges = Badges.on(panel, app);
      badges.show(shown);
    };
    notebooks.forEach(add);
    notebooks.widgetAdded.connect((_, panel) => add(panel));
    void registry?.load(ID).then((settings) => {
      const read = (): void => {
        shown = settings.get("badges").composite !== false;
        notebooks.forEach((panel) => {
          Badges.on(panel, app).show(shown);
        });
      };
      settings.changed.connect(read);
      read();
    });
  },
};
