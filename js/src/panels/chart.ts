import type { ChartOptions } from "../contract.ts";
import { widget } from "../kernel.ts";
import type { Source } from "../source.ts";
import { Chart } from "../ui/chart.ts";
import { chartCss } from "../ui/chartstyle.ts";
import { Hands } from "../ui/hands.ts";
import { panelRoot } from "../ui/root.ts";

export { CHART } from "../ui/chart.ts";

/** The live chart: small multiples that grow while the run logs. */
export function mount(el: HTMLElement, source: Source<ChartOptions>, signal: AbortSignal): void {
  const root = panelRoot(el, chartCss, "chart", signal);
  new Chart(root.el, source, signal, root.themed, (noted) => new Hands(source, noted, signal));
}

/** The same plots inside another panel, where what its run is stands above already. */
export function mountPlots(el: HTMLElement, source: Source<ChartOptions>, signal: AbortSignal): void {
  const root = panelRoot(el, `${chartCss} .runs, .title { display: none; }`, "plots", signal);
  new Chart(root.el, source, signal, root.themed);
}

export default /* @__PURE__ */ widget(mount);
