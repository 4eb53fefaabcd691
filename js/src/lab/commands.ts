import type { JupyterFrontEnd, JupyterFrontEndPlugin } from "@jupyterlab/application";
import { Dialog, ICommandPalette, Notification, showDialog } from "@jupyterlab/apputils";
import { INotebookTracker, type NotebookPanel } from "@jupyterlab/notebook";
import { ISettingRegistry } from "@jupyterlab/settingregistry";
import { TrailServer } from "../server.ts";
import { Badges } from "./badges.ts";

const ID = "celltrail:commands";
const CATEGORY = "celltrail";
const MAGIC = /^%%track\b[^\n]*\n?/;

interface Deed {
  label: string;
  caption: string;
  icon?: string;
  /** Whether there is something to do it to. */
  may(panel: NotebookPanel, badges: Badges): boolean;
  act(panel: NotebookPanel, badges: Badges): Promise<string> | string;
}

/** What can be done to the runs of the notebook in front, from the palette and its toolbar. */
export const commands: JupyterFrontEndPlugin<void> = {
  id: ID,
  description: "Commands for tracked cells, and a button in the notebook's toolbar",
  autoStart: true,
  requires: [INotebookTracker],
  optional: [ICommandPalette, ISettingRegistry],
  activate(
    app: JupyterFrontEnd,
    notebooks: INotebookTracker,
    palette: ICommandPalette | null,
    registry: ISettingRegistry | null,
  ) {
    const settings = registry?.load(ID).catch(() => null);
    const asks = async (): Promise<boolean> => (await settings)?.get("confirm_stop").composite === true;
    for (const [command, deed] of Object.entries(deeds(app, asks))) {
      const may = (): boolean => {
        const panel = notebooks.currentWidget;
        return panel !== null && deed.may(panel, Badges.on(panel, app));
      };
      app.commands.addCommand(command, {
        label: deed.label,
        caption: deed.caption,
        isEnabled: may,
        execute: async () => {
          const panel = notebooks.currentWidget;
          if (!panel) return;
          try {
            const said = await deed.act(panel, Badges.on(panel, app));
            if (said) Notification.info(said, { autoClose: 3000 });
          } catch (problem) {
            Notification.error(problem instanceof Error ? problem.message : String(problem));
          }
        },
      });
      palette?.addItem({ command, category: CATEGORY });
    }
    const changed = (): void => app.commands.notifyCommandChanged();
    notebooks.activeCellChanged.connect(changed);
  },
};

async function agreed(names: string): Promise<boolean> {
  const { button } = await showDialog({
    title: "Stop Run",
    body: `Stop ${names} at the next ct.log()? What was logged is kept.`,
    buttons: [Dialog.cancelButton(), Dialog.warnButton({ label: "Stop" })],
  });
  return button.accept;
}

function deeds(app: JupyterFrontEnd, asks: () => Promise<boolean>): Record<string, Deed> {
  const active = (panel: NotebookPanel, badges: Badges) => badges.runOf(panel.content.activeCell);
  const has = (panel: NotebookPanel, badges: Badges): boolean => active(panel, badges) !== undefined;
  return {
    "celltrail:track-cell": {
      label: "Track",
      caption: "Put %%track on this cell, or take it off: each execution becomes a run",
      may: (panel) => panel.content.activeCell?.model.type === "code",
      act: (panel) => {
        const source = panel.content.activeCell?.model.sharedModel;
        const code = source?.getSource() ?? "";
        source?.setSource(MAGIC.test(code) ? code.replace(MAGIC, "") : `%%track\n${code}`);
        return "";
      },
    },
    "celltrail:stop-run": {
      label: "Stop Run",
      caption: "End the runs of this notebook that go on at their next ct.log(), as finished",
      may: (_, badges) => badges.running().runs.length > 0,
      async act(_, badges) {
        const { trail, runs } = badges.running();
        const names = runs.map(({ name }) => name).join(", ");
        if ((await asks()) && !(await agreed(names))) return "";
        const asked = { kind: "steer", do: "stop", knob: "", value: null } as const;
        const ask = ({ run }: { run: string }) =>
          new TrailServer(trail).change({ ...asked, id: `stop-${run}-${Date.now()}`, run });
        await Promise.all(runs.map(ask));
        return `asked ${names} to stop at the next ct.log()`;
      },
    },
    "celltrail:compare-previous": {
      label: "Compare with Previous Run",
      caption: "The newest run of this cell beside the one before it",
      may: (panel, badges) => typeof active(panel, badges)?.run.previous === "string",
      async act(panel, badges) {
        const found = active(panel, badges);
        if (!found?.run.previous) return "";
        const { trail, run } = found;
        const runs = [`${found.run.previous}`, run.run];
        await app.commands.execute("celltrail:open", { kind: "compare", trail, runs, title: `${run.name}: last two` });
        return "";
      },
    },
    "celltrail:copy-run-id": {
      label: "Copy Run ID",
      caption: "The id of the newest run of this cell",
      may: has,
      async act(panel, badges) {
        const id = active(panel, badges)?.run.run ?? "";
        await navigator.clipboard.writeText(id);
        return `copied ${id}`;
      },
    },
    "celltrail:restore-cell": {
      label: "Restore Cell to Its Last Run",
      caption: "Put the code that the newest run of this cell ran back into it; undo takes that back",
      may: has,
      async act(panel, badges) {
        const found = active(panel, badges);
        const source = panel.content.activeCell?.model.sharedModel;
        if (!found || !source) return "";
        const { detail } = await new TrailServer(found.trail).run(found.run.run);
        if (!detail?.code) throw new Error(`the code of ${found.run.name} is not in the trail`);
        if (detail.code === source.getSource()) return "the cell is as it ran";
        source.setSource(detail.code);
        return `the cell is as ${found.run.name} ran it`;
      },
    },
  };
}
