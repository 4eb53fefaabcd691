import type { ISessionContext } from "@jupyterlab/apputils";
import { type IRenderMimeRegistry, MimeModel } from "@jupyterlab/rendermime";
import type { IRenderMime } from "@jupyterlab/rendermime-interfaces";
import { Panel } from "@lumino/widgets";
import { MIME, type RunState, type SavedPanel } from "../contract.ts";
import { savedSource } from "../saved.ts";
import { element } from "../ui/element.ts";
import { overheardSource } from "./overheard.ts";
import { readPayload } from "./payload.ts";

const WIDGET = "application/vnd.jupyter.widget-view+json";
const HTML = "text/html";
const PANEL = ".celltrail";
const TRAIL = /^[0-9A-HJKMNP-TV-Z]{26}$/; // it becomes part of an address, and a file may say anything
// An empty chart that is about to come alive would flash a sentence first.
const PATIENCE_MS = 300;
// A factory or a widget that came just after the kernel's last word is announced by nobody.
const RETRIES_MS = [500, 1000, 2000, 4000, 8000];

/** One saved output: its snapshot, or its living widget while the kernel knows it. */
export class SavedRenderer extends Panel implements IRenderMime.IRenderer {
  readonly #snapshot = element("div");
  #drawn = new AbortController();
  #hosted = new AbortController();
  #last = "";
  #shown: { view: string | null; draw: () => Promise<void> } | undefined;
  #alive = false;

  constructor(
    private readonly registry: IRenderMimeRegistry,
    private readonly session: ISessionContext | undefined,
  ) {
    super();
    this.addClass("celltrail-saved");
    this.node.append(this.#snapshot);
  }

  async renderModel(model: IRenderMime.IMimeModel): Promise<void> {
    const data = model.data[MIME];
    const seen = JSON.stringify([data, model.trusted]);
    if (seen === this.#last) return;
    this.#last = seen;
    const payload = readPayload(data);
    // A chart whose run ended is sent again at rest: who looks at its living panel goes on to do so.
    if (typeof payload !== "string" && this.#alive && model.trusted && payload.view === this.#shown?.view) {
      this.#shown.draw = () => this.#draw(payload, model);
      return;
    }
    this.#clear();
    if (typeof payload === "string") {
      await this.#explain(payload, model);
      return;
    }
    // Our factory is safe, a widget is not: it runs code of its own, so only a trusted notebook gets one.
    const host = payload.view !== null && model.trusted && this.registry.mimeTypes.includes(WIDGET);
    const shown = { view: payload.view, draw: () => this.#draw(payload, model) };
    this.#shown = shown;
    if (host) this.#host(`${payload.view}`, () => shown.draw());
    if (host && payload.kind === "chart" && payload.series.length === 0) {
      const { signal } = this.#drawn;
      setTimeout(() => signal.aborted || this.#draw(payload, model), PATIENCE_MS);
    } else await this.#draw(payload, model);
  }

  override dispose(): void {
    if (this.isDisposed) return;
    this.#drawn.abort();
    this.#hosted.abort();
    super.dispose();
  }

  #clear(): void {
    this.#hosted.abort();
    this.#hosted = new AbortController();
    this.#alive = false;
    this.#wipe();
    for (const child of [...this.widgets]) child.dispose();
  }

  #wipe(): AbortSignal {
    this.#drawn.abort();
    this.#drawn = new AbortController();
    this.#snapshot.replaceChildren();
    return this.#drawn.signal;
  }

  async #draw(payload: SavedPanel, model: IRenderMime.IMimeModel): Promise<void> {
    const signal = this.#wipe();
    const mount = await mountOf(payload, model.trusted ? this.session : undefined);
    if (signal.aborted) return;
    try {
      mount(this.#snapshot, signal);
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      this.#wipe();
      await this.#explain(`this output is damaged: ${error.message}`, model);
    }
  }

  /** The sentence, and below it what any other viewer would show. */
  async #explain(sentence: string, model: IRenderMime.IMimeModel): Promise<void> {
    this.#snapshot.replaceChildren(element("p", {}, sentence));
    if (model.data[HTML] === undefined) return;
    const html = this.registry.createRenderer(HTML);
    this.addWidget(html);
    await html.renderModel(model);
  }

  /**
   * The notebook's own widget, in the place of the snapshot as soon as our panel stands in it.
   *
   * Jupyter gives the registry a factory that knows the kernel only when that is connected. What an earlier factory
   * made waits for ever, so the guest is made anew when the factory has changed; and a few times later on, since
   * after a reload the kernel may be idle, and say nothing more, before the factory and its widgets are there.
   */
  #host(view: string, redraw: () => void): void {
    const { signal } = this.#hosted;
    let factory: IRenderMime.IRendererFactory | undefined;
    let guest: IRenderMime.IRenderer | undefined;
    const turn = (stands: boolean): void => {
      if (signal.aborted || stands === this.#alive) return;
      this.#alive = stands;
      if (stands) this.#wipe();
      else redraw();
    };
    const invite = (again: boolean): void => {
      const now = this.registry.getFactory(WIDGET);
      if (this.#alive || now === undefined || (now === factory && !again)) return;
      factory = now;
      guest?.dispose();
      guest = this.#guest(view, turn, signal);
    };
    const heard = (): void => invite(false);
    heard();
    this.session?.statusChanged.connect(heard);
    const retries = RETRIES_MS.map((wait) => setTimeout(() => invite(true), wait));
    signal.addEventListener("abort", () => {
      this.session?.statusChanged.disconnect(heard);
      for (const retry of retries) clearTimeout(retry);
    });
  }

  /** A widget that is hidden until our panel stands in it: the error of a dead kernel is never seen. */
  #guest(view: string, turn: (stands: boolean) => void, signal: AbortSignal): IRenderMime.IRenderer {
    const guest = this.registry.createRenderer(WIDGET);
    guest.hide();
    this.addWidget(guest);
    const look = (): void => {
      if (guest.isDisposed) return;
      const stands = guest.node.querySelector(PANEL) !== null;
      guest.setHidden(!stands);
      turn(stands);
    };
    const observer = new MutationObserver(look);
    observer.observe(guest.node, { childList: true, subtree: true });
    const leave = (): void => observer.disconnect();
    signal.addEventListener("abort", leave);
    guest.disposed.connect(leave);
    const data = { [WIDGET]: { model_id: view, version_major: 2, version_minor: 0 } };
    guest.renderModel(new MimeModel({ data, trusted: true })).then(look, () => guest.dispose());
    return guest;
  }
}

function goesOn({ status }: RunState): boolean {
  return status === "running";
}

/** A chart that was saved in mid-run as its trail knows it now, where this server has that. */
async function asOfNow(payload: SavedPanel): Promise<SavedPanel> {
  if (!TRAIL.test(payload.trail)) return payload;
  try {
    const { TrailServer } = await import("../server.ts");
    const { runs, series, omitted } = await new TrailServer(payload.trail).drawn(payload.runs.map(({ run }) => run));
    return { ...payload, runs, series, omitted };
  } catch {
    return payload; // no such trail here, no such extension, nobody who may ask
  }
}

type Draw = (el: HTMLElement, signal: AbortSignal) => void;

/** Panels are loaded with the first output that shows one: a notebook without any pays nothing. */
async function mountOf(payload: SavedPanel, session: ISessionContext | undefined): Promise<Draw> {
  switch (payload.kind) {
    case "chart": {
      const { CHART, mount } = await import("../panels/chart.ts");
      const { view, chart, runs } = payload;
      const options = chart ?? CHART;
      if (!runs.some(goesOn)) return (el, signal) => mount(el, savedSource(payload, options), signal);
      const newest = await asOfNow(payload);
      if (view === null || !session || !newest.runs.some(goesOn))
        return (el, signal) => mount(el, savedSource(newest, options), signal);
      return (el, signal) => mount(el, overheardSource(newest, options, view, session, signal), signal);
    }
    case "table": {
      const { mount, TABLE } = await import("../panels/table.ts");
      const options = payload.table ?? TABLE;
      return (el, signal) => mount(el, savedSource(payload, options), signal);
    }
    case "detail": {
      const { DETAIL, mount } = await import("../panels/detail.ts");
      return (el, signal) => mount(el, savedSource(payload, DETAIL), signal);
    }
    case "media": {
      const { MEDIA, mount } = await import("../panels/media.ts");
      return (el, signal) => mount(el, savedSource(payload, MEDIA), signal);
    }
    case "evaluation": {
      const { EVALUATION, mount } = await import("../panels/evaluation.ts");
      return (el, signal) => mount(el, savedSource(payload, EVALUATION), signal);
    }
    case "compare": {
      const { MEDIA } = await import("../panels/media.ts");
      const { mount } = await import("../panels/compare.ts");
      return (el, signal) => mount(el, savedSource(payload, MEDIA), signal);
    }
  }
}
