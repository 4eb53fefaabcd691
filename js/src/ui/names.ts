const SPLIT = "(?:train(?:ing)?|val(?:id(?:ation)?)?|test|eval|dev)\\d*";
const BEFORE = new RegExp(`^(?<split>${SPLIT})[/_.](?<plot>.+)$`, "i");
const AFTER = new RegExp(`^(?<plot>.+)/(?<split>${SPLIT})$`, "i");
const ORDER = ["", "tr", "va", "ev", "de", "te"];

/** A metric's name taken apart, as `panels/figure.py` does it for the saved picture. */
export interface Parts {
  /** The plot it is drawn in: what train and val of one metric have in common. */
  plot: string;
  /** train, val ... as it was written, or nothing. */
  split: string;
  /** The first of several words of the plot: sys, grad, ... or nothing. */
  prefix: string;
}

export function partsOf(metric: string): Parts {
  const { plot = metric, split = "" } = (BEFORE.exec(metric) ?? AFTER.exec(metric))?.groups ?? {};
  return { plot, split, prefix: plot.slice(0, Math.max(0, plot.indexOf("/"))) };
}

/** Whether a series of the machine counts bytes, or bytes a second. */
export const isBytes = (metric: string): boolean => /^sys\/(.+\/)?(rss|memory|(disk|net)_\w+)$/.test(metric);

const BOOKKEEPING =
  /^(.+\/)?(lr|learning_rate|momentum|weight_decay|grad_?norm.*|.*_per_s|.*_per_sec(ond)?|time|seconds|.*_(time|s))(\/.+)?$/i;
const LAYER = /^(.+\/)?(weight_norm|grad_norm|update_ratio)\/.+$/;
const COUNTED = /^(.+\/)?(epochs?|steps?|iter(ation)?s?|global_step)$/i;

/** Where a plot stands: what a model comes to, then rates and speeds, then what only counts, then single layers. */
export function standing(plot: string): number {
  if (LAYER.test(plot)) return 3;
  if (COUNTED.test(plot)) return 2;
  return BOOKKEEPING.test(plot) ? 1 : 0;
}

/** Train before val before test, whichever was logged first: the same look in every plot. */
export function rank(splits: Iterable<string>): string[] {
  const place = (split: string): number => ORDER.indexOf(split.slice(0, 2).toLowerCase());
  return [...new Set(splits)].sort((a, b) => place(a) - place(b));
}

/** Whether this is what is learned from; a metric without a split beside one of val is. */
export const isTrain = (split: string): boolean => split === "" || /^tr/i.test(split);
export const isVal = (split: string): boolean => /^va/i.test(split);
