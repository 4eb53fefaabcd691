import type { MediaItem, MediaOptions, MediaShown } from "../../contract.ts";
import { Choice } from "../choice.ts";
import { element, say } from "../element.ts";
import { count } from "../format.ts";
import { differenceView } from "./difference.ts";
import { picture, pieceView } from "./piece.ts";
import { Steps } from "./steps.ts";
import { Holding, type Take } from "./store.ts";

/** What a media view asks and tells. */
export interface MediaSource {
  shown(): MediaShown;
  options(): MediaOptions;
  keep(options: MediaOptions): void;
  take: Take;
}

const PICTURES: readonly string[] = ["image", "figure"];

/** What runs kept under one key: side by side at one step, two pictures over each other, or their difference. */
export class MediaView {
  readonly #key = element("select", { class: "ct-select", "aria-label": "media" });
  readonly #only = element("strong");
  readonly #how = new Choice("how", ["beside", "overlay", "difference"], (how) => this.#choose({ how }));
  readonly #first = element("select", { class: "ct-select", "aria-label": "first run" });
  readonly #second = element("select", { class: "ct-select", "aria-label": "second run" });
  readonly #share = element("input", {
    type: "range",
    min: 0,
    max: 1,
    step: 0.01,
    "aria-label": "share of the second",
  });
  readonly #steps = new Steps((step) => this.#choose({ step }));
  readonly #two = element("span", { class: "steps" }, this.#first, this.#second, this.#share);
  readonly #sheet = element("div", { class: "sheet" });
  readonly #foot = element("p", { class: "ct-muted", role: "status" });
  readonly el = element(
    "div",
    {},
    element("div", { class: "bar" }, this.#key, this.#only, this.#steps.el, this.#how.el, this.#two),
    this.#sheet,
    this.#foot,
  );
  readonly #holding: Holding;
  #options: MediaOptions;
  #turn = 0;
  #drawn = new AbortController(); // of the charts in the sheet

  constructor(
    private readonly source: MediaSource,
    private readonly signal: AbortSignal,
  ) {
    this.#options = source.options();
    this.#holding = new Holding(source.take, signal);
    this.#key.addEventListener("change", () => this.#choose({ key: this.#key.value, step: null }));
    this.#first.addEventListener("change", () => this.#choose({ first: this.#first.value }));
    this.#second.addEventListener("change", () => this.#choose({ second: this.#second.value }));
    this.#share.addEventListener("input", () => this.#choose({ share: Number(this.#share.value) }));
    this.#sheet.addEventListener("keydown", (event) => this.#walk(event));
    signal.addEventListener("abort", () => this.#drawn.abort());
    this.draw();
  }

  #choose(change: Partial<MediaOptions>): void {
    this.#options = { ...this.#options, ...change };
    this.source.keep(this.#options);
    this.draw();
  }

  /** Left and right go through the steps from wherever the focus is, but not where something else scrolls by them. */
  #walk(event: KeyboardEvent): void {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (by === undefined || event.target !== this.#sheet) return;
    event.preventDefault();
    this.#steps.move(by);
  }

  draw(): void {
    const { items, runs, omitted } = this.source.shown();
    const keys = [...new Set(items.map(({ key }) => key))];
    const key = keys.includes(this.#options.key) ? this.#options.key : (keys[0] ?? "");
    const here = items.filter((item) => item.key === key);
    const steps = [...new Set(here.map(({ step }) => step ?? 0))].sort((a, b) => a - b);
    const step = steps.findLast((each) => each <= (this.#options.step ?? Number.POSITIVE_INFINITY)) ?? steps[0] ?? 0;
    const ids = Object.keys(runs).filter((run) => here.some((item) => item.run === run));
    fill(
      this.#key,
      keys.map((name) => [name, name]),
      key,
    );
    this.#key.hidden = keys.length < 2;
    this.#only.hidden = !this.#key.hidden;
    this.#only.textContent = key;
    this.#steps.show(steps, step);
    const layered = ids.length > 1 && here.every(({ kind }) => PICTURES.includes(kind));
    const how = layered ? this.#options.how : "beside";
    this.#how.el.hidden = !layered;
    this.#how.show(how);
    this.#two.hidden = how === "beside";
    this.#share.hidden = how !== "overlay";
    this.#share.value = String(this.#options.share);
    const pair = this.#pair(ids);
    const names = ids.map((run): [string, string] => [run, runs[run] ?? run]);
    fill(this.#first, names, pair[0]);
    fill(this.#second, names, pair[1]);
    const all = ids.map((run) => at(here, run, step));
    const turn = ++this.#turn;
    this.#sheet.tabIndex = steps.length > 1 ? 0 : -1;
    this.#sheet.setAttribute("role", "group");
    this.#sheet.setAttribute("aria-label", `${key} at step ${step}: left and right go through the steps`);
    const drawn = new AbortController();
    const laid =
      how === "beside"
        ? Promise.all(ids.map((run, i) => this.#figure(runs[run] ?? run, all[i] ?? [], step, drawn.signal)))
        : this.#layered(
            pair.map((run) => at(here, run, step)[0]),
            how,
            pair.map((run) => runs[run] ?? run),
          );
    if (this.#sheet.childElementCount === 0 && items.length > 0)
      this.#sheet.append(element("p", { class: "ct-muted" }, "on its way …"));
    laid.then(
      (figures) => {
        if (turn !== this.#turn || this.signal.aborted) return drawn.abort();
        this.#drawn.abort();
        this.#drawn = drawn;
        this.#sheet.classList.toggle("wide", how === "beside" && here.some(({ kind }) => kind === "table"));
        this.#sheet.replaceChildren(...figures);
        this.#ahead(here, steps, step, ids);
      },
      (error: Error) => {
        if (turn === this.#turn)
          this.#sheet.replaceChildren(element("p", { class: "ct-error", role: "alert" }, error.message));
      },
    );
    if (items.length === 0)
      say(this.#foot, "these runs kept no media: run.log_image, log_text, log_table and the like do");
    else say(this.#foot, omitted > 0 ? `and ${count(omitted, "earlier item")} in the trail` : "");
  }

  #pair(ids: readonly string[]): [string, string] {
    const { first, second } = this.#options;
    const one = ids.includes(first) ? first : (ids[0] ?? "");
    return [one, ids.includes(second) ? second : (ids.find((run) => run !== one) ?? one)];
  }

  /** What a run has at this step, or had last before it. */
  async #figure(name: string, items: readonly MediaItem[], step: number, signal: AbortSignal): Promise<HTMLElement> {
    const there = items[0]?.step ?? 0;
    const late = items.length > 0 && there !== step ? `step ${there.toLocaleString("en-US")}` : "";
    const said = items.length === 0 ? "nothing up to this step" : [late, items[0]?.said].filter(Boolean).join(" · ");
    const caption = element("figcaption", {}, element("b", {}, name), element("span", { class: "ct-muted" }, said));
    const pieces = items.map(async (item) => {
      try {
        return pieceView(item, await this.#holding.get(item), signal);
      } catch (error) {
        const sentence = error instanceof Error ? error.message : String(error);
        return element("p", { class: "ct-muted" }, sentence);
      }
    });
    return element("figure", {}, caption, ...(await Promise.all(pieces)));
  }

  async #layered(
    items: readonly (MediaItem | undefined)[],
    how: MediaOptions["how"],
    names: readonly string[],
  ): Promise<HTMLElement[]> {
    const [one, other] = items;
    if (!one || !other) return [element("p", { class: "ct-muted" }, "one of these runs has nothing up to this step")];
    const [below, above] = await Promise.all([this.#holding.get(one), this.#holding.get(other)]);
    const told = `${names[0]} and ${names[1]}`;
    const caption = element("figcaption", {}, element("b", {}, told));
    if (!below.url || !above.url) return [element("p", { class: "ct-muted" }, "these cannot be laid over each other")];
    if (how === "difference") return [element("figure", {}, caption, await differenceView(below.url, above.url))];
    const upper = picture(above.url, `${other.key} of ${names[1]}`);
    upper.style.opacity = String(this.#options.share);
    const lower = picture(below.url, `${one.key} of ${names[0]}`);
    return [element("figure", {}, caption, element("div", { class: "laid" }, lower, upper))];
  }

  /** The steps to either side are there before they are asked for. */
  #ahead(here: readonly MediaItem[], steps: readonly number[], step: number, ids: readonly string[]): void {
    const place = steps.indexOf(step);
    for (const near of [steps[place + 1], steps[place - 1]]) {
      if (near === undefined) continue;
      for (const run of ids) for (const item of at(here, run, near)) this.#holding.get(item).catch(() => {});
    }
  }
}

/** The items of the last step that a run has at or before this one. */
function at(items: readonly MediaItem[], run: string, step: number): MediaItem[] {
  const own = items.filter((item) => item.run === run && (item.step ?? 0) <= step);
  const last = Math.max(...own.map((item) => item.step ?? 0));
  return own.filter((item) => (item.step ?? 0) === last).slice(-8);
}

function fill(select: HTMLSelectElement, options: readonly [string, string][], chosen: string): void {
  const told = JSON.stringify(options);
  if (select.dataset.told !== told) {
    select.dataset.told = told;
    select.replaceChildren(...options.map(([value, words]) => element("option", { value }, words)));
  }
  select.value = chosen;
}
