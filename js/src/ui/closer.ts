import type { Source } from "../source.ts";
import type { Range } from "./plot/plot.ts";
import type { Member, SeriesSet } from "./series.ts";

const SETTLE_MS = 150;
const POINTS = 3900; // a series, over twice the window; below what a column would thin

/** Asks the kernel for more points of what is zoomed into, a moment after the window has come to rest. */
export class Closer {
  #timer: ReturnType<typeof setTimeout> | undefined;
  #turn = 0;

  constructor(
    private readonly source: Pick<Source<unknown>, "kind" | "window">,
    private readonly set: SeriesSet,
    private readonly came: () => void,
  ) {}

  /** The window is this now, over these lines; null is everything. */
  look(range: Range | null, x: string, members: () => readonly Member[]): void {
    clearTimeout(this.#timer);
    const turn = ++this.#turn;
    if (!range) this.set.blur();
    if (!range || this.source.kind !== "kernel") return;
    this.#timer = setTimeout(() => {
      const lines = members();
      const runs = [...new Set(lines.map(({ run }) => run))];
      const axis = this.set.metrics.has(x) ? [x] : [];
      const metrics = [...new Set([...lines.map(({ metric }) => metric), ...axis])];
      const beside = (range[1] - range[0]) / 2;
      const wide: Range = [range[0] - beside, range[1] + beside];
      this.source.window({ runs, metrics, x, low: wide[0], high: wide[1], points: POINTS }).then(
        ([parts, data]) => {
          if (turn !== this.#turn) return;
          this.set.focus(wide, parts, data);
          this.came();
        },
        // A kernel that cannot tell more leaves what is drawn already.
        () => {},
      );
    }, SETTLE_MS);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#turn++;
  }
}
