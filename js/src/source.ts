import type {
  Answer,
  Comparison,
  Content,
  FromPanel,
  Mark,
  News,
  Note,
  Part,
  Points,
  Replaying,
  RowsPage,
  SavedPanel,
  Steer,
  Take,
  Window,
} from "./contract.ts";

/** An intent without what makes it a message. */
export type Asked<Intent> = Omit<Intent, "kind" | "id">;

/** An intent before it has an id. */
export type Wish = FromPanel extends infer Each ? (Each extends FromPanel ? Omit<Each, "id"> : never) : never;

/**
 * Where a panel's facts come from: a live kernel or a saved output. Panels know this interface only,
 * so the same panel runs in a notebook, in the saved renderer and in a plain page.
 */
export interface Source<Options> {
  readonly kind: "kernel" | "saved";
  /** The panel's payload as it is now; for a live chart `series` is empty and the points come by `follow`. */
  payload(): SavedPanel;
  /** Called whenever the payload changed. */
  changed(hear: () => void, signal: AbortSignal): void;
  /** How the panel is shown; the panel owns it. */
  options(): Options;
  /** Remember how the panel is shown; written back at most every 300 ms. */
  keep(options: Options): void;
  /** Points as they come, each with its float64 columns. A saved source plays its one snapshot. */
  follow(hear: (points: Points, data: Float64Array) => void, signal: AbortSignal): void;
  /** What the kernel tells unasked of the runs of a table; never by a saved source. */
  news(hear: (news: News) => void, signal: AbortSignal): void;
  /** How far the replay of a run is; there where one can be asked for. */
  replaying?: ((hear: (replaying: Replaying) => void, signal: AbortSignal) => void) | undefined;
  /** The kernel's sentence when it failed at something nobody waits for here; never called by a saved source. */
  faults(hear: (sentence: string) => void, signal: AbortSignal): void;
  /** Called once the kernel is gone, so that nothing more is told or answered; never by a saved source. */
  lost?: ((hear: () => void, signal: AbortSignal) => void) | undefined;
  /** Rows matching an expression; rejects with the kernel's sentence, or when there is no kernel to ask. */
  query(where: string): Promise<RowsPage>;
  /** The comparison of these runs; rejects likewise. */
  compare(runs: string[]): Promise<Comparison>;
  /** A stretch of series at a higher resolution, as parts and their columns; rejects likewise. */
  window(asked: Asked<Window>): Promise<[Part[], Float64Array]>;
  /** Keeps a note on a point; gives all notes on points. Rejects likewise. */
  note(asked: Asked<Note>): Promise<Mark[]>;
  /** One item that a run kept, with its bytes; rejects likewise. */
  take(asked: Asked<Take>): Promise<[Content, Uint8Array]>;
  /** Asks a run that goes on to stop, to pause, or to change; there where it can be asked. Rejects likewise. */
  steer?: ((asked: Asked<Steer>) => Promise<Answer>) | undefined;
  /** The answer to any other intent, with the id under which it was asked; rejects likewise. */
  ask(wish: Wish): Promise<Answer>;
}

/** A panel draws itself into an element from a source until the signal is aborted. */
export type Mount<Options> = (el: HTMLElement, source: Source<Options>, signal: AbortSignal) => void;
