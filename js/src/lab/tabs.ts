import { MainAreaWidget } from "@jupyterlab/apputils";
import { Widget } from "@lumino/widgets";
import { type Shown, servedPanel } from "../served/panel.ts";
import { runsIcon } from "./icon.ts";

/** A tab of the main area with a panel that asks the server. */
export function tabOf(shown: Shown, id: string): MainAreaWidget {
  const content = new PanelTab(shown);
  const tab = new MainAreaWidget({ content });
  tab.id = id;
  tab.node.dataset.shown = JSON.stringify(shown);
  tab.title.label = shown.title;
  tab.title.caption = `celltrail: ${shown.title}`;
  tab.title.icon = runsIcon(14);
  tab.title.closable = true;
  tab.toolbar.hide();
  return tab;
}

class PanelTab extends Widget {
  readonly #end = new AbortController();

  constructor(shown: Shown) {
    super();
    this.addClass("celltrail-tab");
    this.node.style.overflow = "auto";
    this.node.style.padding = "8px 12px";
    servedPanel(this.node, shown, () => this.isVisible && !document.hidden, this.#end.signal);
  }

  override dispose(): void {
    this.#end.abort();
    super.dispose();
  }
}
