import type { Trail } from "../../contract.ts";
import { element } from "../element.ts";
import { count } from "../format.ts";

const ALL = ""; // as the value of the choice

/** Which trails are looked at: all in reach, or one of them. */
export class TrailChoice {
  readonly el = element("select", { "aria-label": "trail" });
  #known: readonly Trail[] = [];
  #offered = "";
  #isOurs = true; // nobody has chosen yet: all are shown as soon as there are several

  constructor(turned: () => void, signal: AbortSignal) {
    const choose = (): void => {
      this.#isOurs = false;
      turned();
    };
    this.el.addEventListener("change", choose, { signal });
  }

  /** The ids of those that are looked at. */
  get chosen(): string[] {
    return this.el.value === ALL ? this.#known.map(({ id }) => id) : [this.el.value];
  }

  /** How a trail is told from the others. */
  wordsOf(id: string): string {
    const trail = this.#known.find((one) => one.id === id);
    return trail ? words(trail) : "a trail that is gone";
  }

  /** Those that are in reach now; what was chosen stays chosen. */
  offer(trails: readonly Trail[]): void {
    this.#known = trails;
    const live = trails.reduce((sum, trail) => sum + trail.live, 0);
    const every = [ALL, `all ${count(trails.length, "trail")}${running(live)}`] as const;
    const each = trails.map((trail) => [trail.id, `${words(trail)}${running(trail.live)}`] as const);
    const offers = trails.length > 1 ? [every, ...each] : each;
    const seen = JSON.stringify(offers);
    if (seen === this.#offered) return;
    this.#offered = seen;
    const chosen = this.el.value;
    this.el.replaceChildren(...offers.map(([id, text]) => element("option", { value: id }, text)));
    if (!this.#isOurs && offers.some(([id]) => id === chosen)) this.el.value = chosen;
  }
}

function words({ folder, name }: Trail): string {
  return folder === null || folder === "." || folder === "" ? name : folder;
}

function running(live: number): string {
  return live > 0 ? ` (${live} running)` : "";
}
