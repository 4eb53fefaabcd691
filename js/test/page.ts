import type { Comparison, News, Points, RowsPage, SavedPanel } from "../src/contract.ts";
import type { Source } from "../src/source.ts";

/** What jsdom lacks and panels use: sizes, their observers, and the question for dark colours. */
export function layOut(width = 1000, height = 420): void {
  globalThis.ResizeObserver = class {
    observe(): void {}
    unobserve(): void {}
    disconnect(): void {}
  };
  globalThis.IntersectionObserver = class {
    observe(): void {}
    unobserve(): void {}
    disconnect(): void {}
  } as unknown as typeof IntersectionObserver;
  globalThis.matchMedia = ((media: string) =>
    Object.assign(new EventTarget(), { media, matches: false })) as unknown as typeof matchMedia;
  Element.prototype.scrollIntoView = () => {};
  Object.defineProperty(HTMLElement.prototype, "clientWidth", { configurable: true, get: () => width });
  Object.defineProperty(HTMLElement.prototype, "clientHeight", { configurable: true, get: () => height });
}

/** A place to mount into, inside something that can take focus, as a notebook's cell can. */
export function outputArea(): { cell: HTMLElement; output: HTMLElement } {
  const cell = document.createElement("div");
  cell.tabIndex = 0;
  const output = document.createElement("div");
  cell.append(output);
  document.body.replaceChildren(cell);
  return { cell, output };
}

/** The panel's own document. */
export function inside(output: HTMLElement): ShadowRoot {
  const root = output.firstElementChild?.shadowRoot;
  if (!root) throw new Error("no panel here");
  return root;
}

/** A kernel in a page: the payload can be replaced, questions are answered by the given functions. */
export interface StoodIn<Options> extends Source<Options> {
  kept: Options[];
  become(payload: SavedPanel): void;
  bring(news: News): void;
  tell(points: Points, data: number[]): void;
}

export function standIn<Options>(
  first: SavedPanel,
  options: Options,
  answers: {
    kind?: Source<Options>["kind"];
    query?: (where: string) => Promise<RowsPage>;
    compare?: (runs: string[]) => Promise<Comparison>;
    window?: Source<Options>["window"];
    note?: Source<Options>["note"];
    take?: Source<Options>["take"];
    steer?: Source<Options>["steer"];
    ask?: Source<Options>["ask"];
  } = {},
): StoodIn<Options> {
  let now = first;
  let shown = options;
  const hearing = new Set<() => void>();
  const refuse = (): Promise<never> => Promise.reject(new Error("not asked in this test"));
  const kept: Options[] = [];
  let heard: (news: News) => void = () => {};
  let followed: (points: Points, data: Float64Array) => void = () => {};
  return {
    kept,
    kind: answers.kind ?? "kernel",
    payload: () => now,
    changed(hear, signal) {
      hearing.add(hear);
      signal.addEventListener("abort", () => hearing.delete(hear));
    },
    options: () => shown,
    keep(changed) {
      shown = changed;
      kept.push(changed);
    },
    follow(hear) {
      followed = hear;
    },
    news(hear) {
      heard = hear;
    },
    bring: (news) => heard(news),
    faults() {},
    query: answers.query ?? refuse,
    compare: answers.compare ?? refuse,
    window: answers.window ?? refuse,
    note: answers.note ?? refuse,
    take: answers.take ?? refuse,
    tell: (points, data) => followed(points, new Float64Array(data)),
    steer: answers.steer,
    ask: answers.ask ?? refuse,
    become(payload) {
      now = payload;
      for (const hear of hearing) hear();
    },
  };
}
