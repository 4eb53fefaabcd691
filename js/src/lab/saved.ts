import type { JupyterFrontEnd, JupyterFrontEndPlugin } from "@jupyterlab/application";
import type { ISessionContext } from "@jupyterlab/apputils";
import { INotebookTracker } from "@jupyterlab/notebook";
import { IRenderMimeRegistry } from "@jupyterlab/rendermime";
import { MIME } from "../contract.ts";
import { SavedRenderer } from "./renderer.ts";

// Before widget-view (-10): a saved notebook without its kernel would show an error in our place.
const RANK = -20;

/** Shows panels in saved notebooks without a kernel, and their live form where there is one. */
export const saved: JupyterFrontEndPlugin<void> = {
  id: "celltrail:saved",
  description: "Shows the charts and tables of saved notebooks",
  autoStart: true,
  requires: [INotebookTracker],
  optional: [IRenderMimeRegistry],
  activate(_: JupyterFrontEnd, notebooks: INotebookTracker, everywhere: IRenderMimeRegistry | null) {
    const offer = (registry: IRenderMimeRegistry, session?: ISessionContext): void =>
      registry.addFactory({
        safe: true,
        mimeTypes: [MIME],
        defaultRank: RANK,
        createRenderer: () => new SavedRenderer(registry, session),
      });
    if (everywhere) offer(everywhere);
    // Only a notebook's own registry can make the widgets of its kernel.
    notebooks.forEach((panel) => {
      offer(panel.content.rendermime, panel.sessionContext);
    });
    notebooks.widgetAdded.connect((_, panel) => offer(panel.content.rendermime, panel.sessionContext));
  },
};
