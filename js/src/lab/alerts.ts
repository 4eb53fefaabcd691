import type { JupyterFrontEnd, JupyterFrontEndPlugin } from "@jupyterlab/application";
import { Notification } from "@jupyterlab/apputils";
import { INotebookTracker } from "@jupyterlab/notebook";
import { alertHeard } from "./heard.ts";

const [INFO_MS, WARN_MS] = [8000, 20_000]; // the bell in the status bar keeps them

/** An alert of a run is a notification too: whoever looks at another notebook while it trains hears of it. */
export const alerts: JupyterFrontEndPlugin<void> = {
  id: "celltrail:alerts",
  description: "Alerts of runs as notifications",
  autoStart: true,
  requires: [INotebookTracker],
  activate(app: JupyterFrontEnd, notebooks: INotebookTracker) {
    notebooks.widgetAdded.connect((_, panel) => {
      panel.sessionContext.iopubMessage.connect((_, message) => {
        const alert = alertHeard(message);
        if (!alert) return;
        const show = (): void => app.shell.activateById(panel.id);
        const actions = [{ label: "show", callback: show }];
        if (alert.level === "error") Notification.error(alert.said, { autoClose: false, actions });
        else if (alert.level === "warn") Notification.warning(alert.said, { autoClose: WARN_MS, actions });
        else Notification.success(alert.said, { autoClose: INFO_MS, actions });
      });
    });
  },
};
