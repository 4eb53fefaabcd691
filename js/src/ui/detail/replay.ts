import type { Detail, DetailOptions, Replaying, ReplayVerdict } from "../../contract.ts";
import type { Source } from "../../source.ts";
import { element, say, tell } from "../element.ts";
import { formatAgo, formatDuration, formatMoment } from "../format.ts";

const MARKS: Record<ReplayVerdict["verdict"], string> = {
  reproduced: "✓",
  "within-tolerance": "≈",
  drifted: "✗",
  "cannot-run": "–",
};
const TICK_MS = 500;

/** The last verdict on a run, and where there is a kernel the button that asks for a new one. */
export function replayView(detail: Detail, source: Source<DetailOptions>, signal: AbortSignal): HTMLElement {
  const { replay } = detail;
  const view = element("div", { class: "ct-replay" });
  if (replay) view.append(verdictView(replay));
  if (source.replaying && detail.replayable) view.append(new Replays(detail, source, signal).el);
  return view;
}

function verdictView(replay: ReplayVerdict): HTMLElement {
  const ago = formatAgo(replay.at, Date.now() / 1000);
  const head = element(
    "p",
    { class: "ct-verdict-line" },
    element("span", { "aria-hidden": "true" }, `${MARKS[replay.verdict] ?? ""} `),
    element("strong", {}, replay.text),
    element("span", { class: "ct-muted", title: formatMoment(replay.at) }, `replayed ${ago}`),
  );
  const facts = replay.facts.length > 0 ? element("p", { class: "ct-muted" }, replay.facts.join(" · ")) : null;
  const causes = replay.causes.map((cause) => element("li", {}, cause));
  const list = causes.length > 0 ? element("div", {}, `${replay.over}:`, element("ul", {}, ...causes)) : null;
  return element("div", { class: "ct-replayed", "data-verdict": replay.verdict, role: "status" }, head, facts, list);
}

/** The button, and how far a replay is while one goes on. */
class Replays {
  readonly el: HTMLElement;
  readonly #button = element("button", { type: "button", class: "ct-button" });
  readonly #bar = element("progress", { "aria-label": "executions replayed" });
  readonly #said = element("span", { class: "ct-muted", role: "status" });
  readonly #code = element("code", { class: "ct-mono ct-muted" });
  #going: Replaying | undefined;
  #heardAt = 0;

  constructor(detail: Detail, source: Source<DetailOptions>, signal: AbortSignal) {
    this.el = element("div", { class: "ct-replays" }, this.#button, this.#bar, this.#said, this.#code);
    this.#button.addEventListener("click", () => {
      const start = this.#going === undefined;
      this.#button.disabled = true;
      source
        .ask({ kind: "replay", run: detail.run.id, do: start ? "start" : "stop" })
        .catch((problem: Error) => say(this.#said, problem.message))
        .finally(() => {
          this.#button.disabled = false;
        });
    });
    source.replaying?.((told) => this.#hear(told), signal);
    source.lost?.(() => this.#end("the kernel that it was asked of is gone, and the replay with it"), signal);
    const timer = setInterval(() => this.#tick(), TICK_MS);
    signal.addEventListener("abort", () => clearInterval(timer), { once: true });
    this.#show();
  }

  #hear(told: Replaying): void {
    if (told.over) this.#end(told.text);
    else {
      this.#going = told;
      this.#heardAt = Date.now();
      this.#show();
    }
  }

  #end(why: string): void {
    if (!this.#going) return;
    this.#going = undefined;
    this.#show();
    say(this.#said, why);
  }

  #show(): void {
    const going = this.#going;
    say(this.#button, going ? "stop" : "replay");
    this.#button.title = going ? "stop the replay" : "execute this run again in a fresh kernel, and judge it";
    this.#bar.hidden = !going;
    if (going && going.total > 0) {
      this.#bar.max = going.total;
      this.#bar.value = going.done;
    } else this.#bar.removeAttribute("value");
    tell(this.#code, going?.code ?? "");
    this.#tick();
  }

  #tick(): void {
    const going = this.#going;
    if (!going) return;
    const seconds = going.seconds + (Date.now() - this.#heardAt) / 1000;
    const at = going.total > 0 ? `cell ${going.done + 1} of ${going.total}` : going.text;
    say(this.#said, `${at} · ${formatDuration(seconds)}`);
  }
}
