import type { Source } from "../source.ts";
import type { Range } from "./plot/plot.ts";
import type { Member, SeriesSet } from "./series.ts";

const POINTS = 3900; // a series, over twice the window; below what a column would thin
const BESIDE = 0.5; // of the window is asked for on either side of it
const NEAR = 0.2; // of the window: the hand is about to leave what is here
const COARSE = 4; // so much narrower than it was asked for, a window is worth another look
const LEAST_MS = 30; // between an answer and the next question
const REST = 1; // times as long as an answer took the kernel is left in peace: it may be training

interface Held {
  range: Range;
  width: number; // of the window it was asked for
  x: string;
  lines: ReadonlySet<string>;
}

interface Wanted {
  range: Range;
  x: string;
  members: () => readonly Member[];
}

/**
 * Asks the kernel for more points of what is zoomed into, also while a hand still drags: one question at a time, each
 * about where the window is by then, and none while what is here will do.
 */
export class Closer {
  #timer: ReturnType<typeof setTimeout> | undefined;
  #turn = 0;
  #asking = false;
  #held: Held | undefined;
  #wanted: Wanted | undefined;

  constructor(
    private readonly source: Pick<Source<unknown>, "kind" | "window">,
    private readonly set: SeriesSet,
    private readonly came: () => void,
  ) {}

  /** The window is this now, over these lines; null is everything. */
  look(range: Range | null, x: string, members: () => readonly Member[]): void {
    if (!range) {
      this.stop();
      this.set.blur();
    } else if (this.source.kind === "kernel") {
      this.#wanted = { range, x, members };
      this.#next();
    }
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = this.#wanted = this.#held = undefined;
    this.#asking = false;
    this.#turn++;
  }

  #next(): void {
    const wanted = this.#wanted;
    if (!wanted || this.#asking || this.#timer !== undefined) return;
    const lines = wanted.members();
    if (this.#suffices(wanted, lines)) return;
    const turn = this.#turn;
    const asked = performance.now();
    this.#asking = true;
    this.#ask(wanted, lines).then((answered) => {
      if (turn !== this.#turn) return;
      this.#asking = false;
      this.#timer = setTimeout(
        () => {
          this.#timer = undefined;
          // a kernel that cannot tell more is asked again when the window is another
          if (answered || this.#wanted !== wanted) this.#next();
        },
        Math.max(LEAST_MS, REST * (performance.now() - asked)),
      );
    });
  }

  /** Whether the answer is here, as far as the hand goes with it. */
  #suffices({ range: [low, high], x }: Wanted, lines: readonly Member[]): boolean {
    const held = this.#held;
    const width = high - low;
    if (held?.x !== x || width * COARSE < held.width) return false;
    const near = NEAR * width;
    if (low - near < held.range[0] || high + near > held.range[1]) return false;
    return lines.every(({ key }) => held.lines.has(key));
  }

  async #ask({ range: [low, high], x }: Wanted, lines: readonly Member[]): Promise<boolean> {
    const turn = this.#turn;
    const runs = [...new Set(lines.map(({ run }) => run))];
    const axis = this.set.metrics.has(x) ? [x] : [];
    const metrics = [...new Set([...lines.map(({ metric }) => metric), ...axis])];
    const width = high - low;
    const wide: Range = [low - BESIDE * width, high + BESIDE * width];
    try {
      const found = await this.source.window({ runs, metrics, x, low: wide[0], high: wide[1], points: POINTS });
      if (turn !== this.#turn) return false;
      this.set.focus(wide, ...found);
      this.#held = { range: wide, width, x, lines: new Set(lines.map(({ key }) => key)) };
      this.came();
      return true;
    } catch {
      return false; // what is drawn already stays
    }
  }
}
