import { told } from "../assert.ts";
import type { TableOptions } from "../contract.ts";
import { NOTHING_SAVED, savedSource } from "../saved.ts";
import type { Source } from "../source.ts";
import { type DrawnRuns, drawnRuns } from "../ui/table/drawn.ts";
import { CHART, mountPlots } from "./chart.ts";

/** The curves of the runs selected in a table, drawn by the chart itself. */
export function curvesBelow(
  source: Pick<Source<TableOptions>, "ask">,
  back: () => void,
  signal: AbortSignal,
): DrawnRuns {
  return drawnRuns(
    async (runs) => {
      const { drawn } = await source.ask({ kind: "draw", runs });
      return told(drawn);
    },
    (into, drawn, inside) => mountPlots(into, savedSource({ ...NOTHING_SAVED, ...drawn }, CHART), inside),
    back,
    signal,
  );
}
