import type { Source } from "../../source.ts";

const REST_MS = 400; // what it takes to tell is more than reading a row
const MOST = 10; // runs at once

/** Which of the runs in view do not hold any more, and why. The kernel is asked once the eye rests. */
export class Stale {
  readonly #known = new Map<string, string>(); // "" for a run that holds
  #timer: ReturnType<typeof setTimeout> | undefined;
  #asking = false;
  #wanted: readonly string[] = [];

  constructor(
    private readonly source: Pick<Source<unknown>, "kind" | "ask">,
    private readonly changed: () => void,
    private readonly signal: AbortSignal,
  ) {
    signal.addEventListener("abort", () => clearTimeout(this.#timer));
  }

  /** Why this run does not hold any more; "" where it does or nobody knows. */
  why(run: string): string {
    return this.#known.get(run) ?? "";
  }

  get any(): boolean {
    return [...this.#known.values()].some(Boolean);
  }

  /** Everything may be otherwise now. */
  forget(): void {
    this.#known.clear();
  }

  look(runs: readonly string[]): void {
    if (this.source.kind !== "kernel") return;
    this.#wanted = runs;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#ask(), REST_MS);
  }

  async #ask(): Promise<void> {
    const runs = this.#wanted.filter((run) => !this.#known.has(run)).slice(0, MOST);
    if (runs.length === 0 || this.#asking || this.signal.aborted) return;
    this.#asking = true;
    for (const run of runs) this.#known.set(run, "");
    try {
      const { stale } = await this.source.ask({ kind: "hold", runs });
      if (this.signal.aborted) return;
      for (const [run, why] of Object.entries(stale ?? {})) this.#known.set(run, why);
      if (Object.keys(stale ?? {}).length > 0) this.changed();
    } catch {
      return; // a kernel that cannot tell says nothing, as a run does that holds
    } finally {
      this.#asking = false;
    }
    await this.#ask();
  }
}
