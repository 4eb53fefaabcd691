import type { Knob, Mark, RunState, Steer } from "../contract.ts";
import type { Asked, Source } from "../source.ts";
import { button } from "./controls.ts";
import { element, say, tell } from "./element.ts";
import { formatDuration } from "./format.ts";
import { KnobControl } from "./knob.ts";
import { openNoteBox } from "./noting.ts";

const PATIENCE_S = 2;
const LOOK_MS = 500;

/** What became of the last click. */
export interface Sent {
  do: Steer["do"];
  knob: string;
  value: number | null;
  seconds: number;
  fault: string;
}

/** Whether the run has heard of it. */
function isDone({ do: what, knob, value }: Sent, { asked_to, paused, knobs }: RunState): boolean {
  if (what === "turn") return knobs.some((one) => one.name === knob && [one.value, one.wanted].includes(value));
  return what === "resume" ? !paused && asked_to === "" : what === asked_to || (what === "pause" && paused);
}

/** How the last click stands, in words. */
export function standingOf(state: RunState, sent: Sent | undefined): string {
  if (sent?.fault) return sent.fault;
  if (state.paused) return `paused${state.step === null ? "" : ` at step ${state.step.toLocaleString("en-US")}`}`;
  if (state.asked_to) return `asked to ${state.asked_to} at the next ct.log()`;
  if (!sent || isDone(sent, state)) return "";
  return sent.seconds < PATIENCE_S ? `${sent.do}: sent` : "waiting: the kernel is busy and has not heard of it yet";
}

/**
 * Why it takes so long, where a cell does not log.
 *
 * @param quiet - seconds since the run came to its step
 */
export function whyNot({ asked_to, paused }: RunState, quiet: number): string {
  if (!asked_to || paused || quiet < PATIENCE_S) return "";
  const told = `no step for ${formatDuration(quiet)}`;
  return asked_to === "stop" ? `${told}: the stop button of Jupyter interrupts the cell at once` : told;
}

/** Stop, pause, note and knobs, for the runs of a chart that go on; beside them how the last click stands. */
export class Hands {
  readonly el = element("div", { class: "hands", role: "group", "aria-label": "hands on the runs that go on" });
  readonly #said = element("span", { "aria-live": "polite" });
  readonly #why = element("span", { class: "ct-muted" }); // it counts, and is not read out
  readonly #stop: HTMLButtonElement;
  readonly #pause: HTMLButtonElement;
  readonly #knobs = element("span", { class: "knobs" });
  readonly #controls = new Map<string, KnobControl>();
  // Not of points: a machine is sampled also while the cell is silent.
  readonly #steps = new Map<string, { step: number | null; at: number }>();
  #running: RunState[] = [];
  #sent: (Sent & { at: number }) | undefined;

  constructor(
    private readonly source: Pick<Source<unknown>, "steer" | "note">,
    noted: (marks: readonly Mark[]) => void,
    private readonly signal: AbortSignal,
  ) {
    const title = "ends the run at the next ct.log(), as finished: what it logged is kept, and a loop may save a model";
    this.#stop = button("stop", title, () => void this.#ask("stop"), signal);
    const press = (): void => void this.#ask(this.#holds ? "resume" : "pause");
    this.#pause = button("pause", "waits at the next ct.log() until it is resumed", press, signal);
    const note = button("note", "keeps a note on the step that the run is at", () => this.#note(note, noted), signal);
    this.el.append(this.#stop, this.#pause, note, this.#knobs, this.#said, this.#why);
    this.el.hidden = true;
    const timer = setInterval(() => this.#tell(), LOOK_MS);
    signal.addEventListener("abort", () => clearInterval(timer));
  }

  show(states: readonly RunState[]): void {
    this.#running = states.filter(({ status }) => status === "running");
    this.el.hidden = this.#running.length === 0 || !this.source.steer;
    if (this.el.hidden) {
      this.#sent = undefined;
      return;
    }
    for (const { run, step } of this.#running) {
      if (this.#steps.get(run)?.step !== step) this.#steps.set(run, { step, at: performance.now() });
    }
    say(this.#pause, this.#holds ? "resume" : "pause");
    this.#turn(this.#newest);
    this.#tell();
  }

  /** The one that the cell is at: those of a sweep are inside of it. */
  get #newest(): RunState | undefined {
    return this.#running.at(-1);
  }

  get #holds(): boolean {
    return this.#running.some(({ paused, asked_to }) => paused || asked_to === "pause");
  }

  #turn(state: RunState | undefined): void {
    for (const knob of state?.knobs ?? []) {
      const known = this.#controls.get(knob.name) ?? this.#control(knob);
      known.show(knob);
    }
  }

  #control(knob: Knob): KnobControl {
    const turn = (value: number): void => void this.#ask("turn", knob.name, value);
    const made = new KnobControl(knob, turn, this.signal);
    this.#controls.set(knob.name, made);
    this.#knobs.append(made.el);
    return made;
  }

  #tell(): void {
    const state = this.#newest;
    if (!state || this.el.hidden) return;
    const now = performance.now();
    const sent = this.#sent && { ...this.#sent, seconds: (now - this.#sent.at) / 1000 };
    const quiet = (now - (this.#steps.get(state.run)?.at ?? now)) / 1000;
    tell(this.#said, standingOf(state, sent));
    tell(this.#why, sent?.fault ? "" : whyNot(state, quiet));
    this.#said.classList.toggle("ct-error", Boolean(sent?.fault));
  }

  async #ask(what: Steer["do"], knob = "", value: number | null = null): Promise<void> {
    const sent = { do: what, knob, value, seconds: 0, fault: "", at: performance.now() };
    this.#sent = sent;
    this.#tell();
    const asked = (run: string): Asked<Steer> => ({ run, do: what, knob, value });
    const runs = what === "turn" ? this.#running.slice(-1) : this.#running;
    try {
      await Promise.all(runs.map(({ run }) => this.source.steer?.(asked(run))));
    } catch (problem) {
      sent.fault = problem instanceof Error ? problem.message : String(problem);
    }
    this.#tell();
  }

  #note(anchor: HTMLElement, noted: (marks: readonly Mark[]) => void): void {
    const state = this.#newest;
    if (!state) return;
    const step = state.step ?? 0;
    const title = `note on ${state.name} at step ${step.toLocaleString("en-US")}`;
    openNoteBox(
      anchor,
      title,
      (text) => this.source.note({ run: state.run, metric: null, step, text }),
      noted,
      this.signal,
    );
  }
}
