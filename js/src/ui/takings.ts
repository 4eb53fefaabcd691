import { csv, download } from "./download.ts";
import type { Offer } from "./menu.ts";
import { type Pictured, toPng, toSvg } from "./plot/picture.ts";
import type { Theme } from "./theme.ts";

const HEAD = ["run", "name", "metric", "step", "seconds", "value"];

/** What of a chart can be taken along. */
export interface Taken {
  title: string;
  theme: Theme | undefined;
  plots(): Pictured[];
  rows(): Iterable<(string | number)[]>;
}

/** The plots as a picture, the points as a table: what is found and not folded away, as it is shown. */
export function takings(chart: Taken, sayFault: (sentence: string) => void): Offer[] {
  const give = async (ending: string, make: () => Blob | Promise<Blob>): Promise<void> => {
    try {
      download(`${chart.title || "chart"}.${ending}`, await make());
    } catch (error) {
      sayFault(error instanceof Error ? error.message : String(error));
    }
  };
  const { theme } = chart;
  const points = (): Blob => new Blob([csv([HEAD, ...chart.rows()])], { type: "text/csv" });
  const pictures = theme && [
    { words: "picture as PNG", act: () => void give("png", () => toPng(chart.plots(), theme)) },
    { words: "picture as SVG", act: () => void give("svg", () => toSvg(chart.plots(), theme)) },
  ];
  return [...(pictures ?? []), { words: "points as CSV", act: () => void give("csv", points) }];
}
