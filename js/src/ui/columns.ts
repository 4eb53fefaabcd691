/** On screen a series has at most this many points; the trail keeps them all. */
export const BUDGET = 4000;
const MARKS = 400;

/** A value no line can be drawn through: its place is marked instead. */
export interface Mark {
  step: number;
  seconds: number;
}

/** Three parallel arrays, what is on screen of one series. */
export interface Drawn {
  step: number[];
  seconds: number[];
  value: number[];
}

/**
 * The bounded columns of one series. Over the budget, every four neighbours become the smallest and the largest of
 * them, and what comes later is gathered in buckets of the same weight: a spike survives, and early points are not
 * thinned more than late ones.
 */
export class Column {
  count = 0;
  nan = 0;
  inf = 0;
  min = Number.POSITIVE_INFINITY;
  max = Number.NEGATIVE_INFINITY;
  readonly marks: Mark[] = [];
  readonly #kept: Drawn = { step: [], seconds: [], value: [] };
  #weight = 1; // points that become two
  readonly #ends = { step: empty(), time: empty() };
  #open: { n: number; low: Point; high: Point } | undefined;
  #first: Point | undefined;
  #last: Point | undefined;

  get last(): number | undefined {
    return this.#last?.value;
  }

  push(step: number, seconds: number, value: number): void {
    this.count++;
    widen(this.#ends.step, step);
    widen(this.#ends.time, seconds);
    if (!Number.isFinite(value)) {
      if (Number.isNaN(value)) this.nan++;
      else this.inf++;
      this.#mark({ step, seconds });
      return;
    }
    if (value < this.min) this.min = value;
    if (value > this.max) this.max = value;
    const point = { step, seconds, value };
    this.#first ??= point;
    this.#last = point;
    if (this.#weight === 1) this.#keep(point);
    else this.#gather(point);
  }

  /** First and last x of all that came, marks included; low > high while there is nothing. */
  extent(by: "step" | "time"): readonly [number, number] {
    return this.#ends[by];
  }

  /** The kept points, those of the open bucket, and always the first and the last, in the order of logging. */
  drawn(): Drawn {
    const { step, seconds, value } = this.#kept;
    const drawn: Drawn = { step: step.slice(), seconds: seconds.slice(), value: value.slice() };
    const first = this.#first;
    const open = this.#open;
    if (first && this.#weight > 1 && drawn.step[0] !== first.step) put(drawn, first, true);
    for (const point of open ? ordered(open.low, open.high) : []) put(drawn, point, false);
    const last = this.#last;
    if (last && this.#weight > 1 && drawn.step.at(-1) !== last.step) put(drawn, last, false);
    return drawn;
  }

  #gather(point: Point): void {
    const open = this.#open;
    if (!open) this.#open = { n: 1, low: point, high: point };
    else {
      open.n++;
      if (point.value < open.low.value) open.low = point;
      if (point.value > open.high.value) open.high = point;
      if (open.n === this.#weight) this.#shut(open.low, open.high);
    }
  }

  #shut(low: Point, high: Point): void {
    this.#open = undefined;
    for (const point of ordered(low, high)) this.#keep(point);
    // Each bucket leaves exactly two points, so that four neighbours are always two buckets.
    if (low === high) this.#keep(low);
  }

  #keep(point: Point): void {
    put(this.#kept, point, false);
    if (this.#kept.step.length >= BUDGET) this.#halve();
  }

  #halve(): void {
    const { step, seconds, value } = this.#kept;
    const from = (i: number): Point => ({ step: step[i] ?? 0, seconds: seconds[i] ?? 0, value: value[i] ?? 0 });
    let to = 0;
    for (let i = 0; i + 3 < step.length; i += 4) {
      let low = i;
      let high = i;
      for (let j = i + 1; j < i + 4; j++) {
        if ((value[j] ?? 0) < (value[low] ?? 0)) low = j;
        if ((value[j] ?? 0) >= (value[high] ?? 0)) high = j;
      }
      for (const point of [from(Math.min(low, high)), from(Math.max(low, high))]) {
        step[to] = point.step;
        seconds[to] = point.seconds;
        value[to++] = point.value;
      }
    }
    step.length = seconds.length = value.length = to;
    this.#weight = this.#weight === 1 ? 4 : this.#weight * 2;
  }

  #mark(mark: Mark): void {
    if (this.marks.length < MARKS) this.marks.push(mark);
    // A series of nothing but NaN: the newest place is worth more than one amid hundreds.
    else this.marks[MARKS - 1] = mark;
  }
}

function empty(): [number, number] {
  return [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
}

function widen(ends: [number, number], x: number): void {
  if (!Number.isFinite(x)) return;
  ends[0] = Math.min(ends[0], x);
  ends[1] = Math.max(ends[1], x);
}

interface Point {
  step: number;
  seconds: number;
  value: number;
}

function ordered(a: Point, b: Point): Point[] {
  if (a === b) return [a];
  return a.step <= b.step ? [a, b] : [b, a];
}

function put(drawn: Drawn, point: Point, front: boolean): void {
  const way = front ? "unshift" : "push";
  drawn.step[way](point.step);
  drawn.seconds[way](point.seconds);
  drawn.value[way](point.value);
}
