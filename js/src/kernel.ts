import { told } from "./assert.ts";
import type {
  Answer,
  Comparison,
  Content,
  Fault,
  FromKernel,
  FromPanel,
  Mark,
  Part,
  Points,
  RowsPage,
  SavedPanel,
} from "./contract.ts";
import { steerByServer } from "./control.ts";
import type { Mount, Source } from "./source.ts";

type Hear = (message: FromKernel, buffers: readonly DataView[]) => void;

/** The part of anywidget's model that is used; a test's mock needs no more. */
export interface Model {
  get(name: string): unknown;
  set(name: string, value: unknown): void;
  save_changes(): void;
  send(message: unknown): void;
  on(event: string, hear: (...args: never[]) => void): void;
  off(event: string, hear: (...args: never[]) => void): void;
}

/**
 * A widget model with an owner for each trait: `State` is the kernel's and only read here, `View` is the panel's.
 * `kernel.set("state", ...)` does not compile.
 */
export class Kernel<State extends object, View extends object> {
  constructor(private readonly model: Model) {}

  get<Name extends keyof (State & View) & string>(name: Name): (State & View)[Name] {
    return this.model.get(name) as (State & View)[Name];
  }

  set<Name extends keyof View & string>(name: Name, value: View[Name]): void {
    this.model.set(name, value);
    this.model.save_changes();
  }

  send(message: FromPanel): void {
    this.model.send(message);
  }

  changed(name: keyof (State & View) & string, hear: () => void, signal: AbortSignal): void {
    this.#listen(`change:${name}`, hear, signal);
  }

  messages(hear: Hear, signal: AbortSignal): void {
    this.#listen("msg:custom", hear, signal);
  }

  /** The kernel ended or was restarted: Jupyter's widget manager says that the comm is dead. */
  lost(hear: () => void, signal: AbortSignal): void {
    this.#listen("comm_live_update", hear, signal);
  }

  #listen(event: string, hear: (...args: never[]) => void, signal: AbortSignal): void {
    if (signal.aborted) return;
    this.model.on(event, hear);
    signal.addEventListener("abort", () => this.model.off(event, hear), { once: true });
  }
}

/** The traits of every panel. */
export interface PanelState {
  state: SavedPanel;
}
export interface PanelView<Options> {
  options: Options;
}

interface Waiting {
  answer(answer: [Answer, DataView | undefined]): void;
  refuse(reason: Error): void;
}

const WRITE_BACK_MS = 300;
const APPEARED_MS = 1000;
const GAP_MS = 250;
const GONE = "its kernel is gone; run the cell again";
const AGAIN_MS = 400;

// Not crypto.randomUUID: it is missing where a hub is reached by plain http.
const page = Math.random().toString(36).slice(2, 10);
let asked = 0;
const freshId = (): string => `${page}-${++asked}`;

/** float64 over the buffer's own bytes; copied only where the offset is not a multiple of 8. */
export function float64(view: DataView | undefined): Float64Array {
  if (!view) return new Float64Array(0);
  const length = view.byteLength >> 3;
  if (view.byteOffset % 8 === 0) return new Float64Array(view.buffer as ArrayBuffer, view.byteOffset, length);
  return new Float64Array(view.buffer.slice(view.byteOffset, view.byteOffset + length * 8) as ArrayBuffer);
}

/** The live source: facts by trait and message, intents answered by id. */
export function kernelSource<Options>(model: Model, signal: AbortSignal): Source<Options> {
  const kernel = new Kernel<PanelState, PanelView<Options>>(model);
  const waiting = new Map<string, Waiting>();
  const faulted = new Set<(sentence: string) => void>();
  let kept: Options | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;

  const writeBack = (): void => {
    clearTimeout(timer);
    timer = undefined;
    if (kept !== undefined) kernel.set("options", kept);
    kept = undefined;
  };

  kernel.messages((message, buffers) => {
    if (message.kind === "answer") take(waiting, message.reply_to)?.answer([message, buffers[0]]);
    if (message.kind === "fault") blame(message, waiting, faulted);
  }, signal);
  const refuseAll = (why: string): void => {
    for (const one of waiting.values()) one.refuse(new Error(why));
    waiting.clear();
  };
  let isLost = false;
  kernel.lost(() => {
    isLost = true;
    refuseAll(GONE);
  }, signal);
  signal.addEventListener("abort", () => {
    writeBack();
    refuseAll("the panel was closed");
  });

  const ask = (intent: FromPanel): Promise<[Answer, DataView | undefined]> =>
    new Promise((answer, refuse) => {
      if (isLost) return refuse(new Error(GONE));
      waiting.set(intent.id, { answer, refuse });
      try {
        kernel.send(intent);
      } catch {
        take(waiting, intent.id)?.refuse(new Error(GONE)); // Jupyter sends nothing through a comm that is closed
      }
    });

  return {
    kind: "kernel",
    payload: () => kernel.get("state"),
    changed: (hear, until) => kernel.changed("state", hear, until),
    options: () => kept ?? kernel.get("options"),
    keep(options) {
      kept = options;
      timer ??= setTimeout(writeBack, WRITE_BACK_MS);
    },
    follow: (hear, until) => follow(kernel, hear, until),
    news: (hear, until) =>
      kernel.messages((message) => {
        if (message.kind === "news") hear(message);
      }, until),
    replaying: (hear, until) =>
      kernel.messages((message) => {
        if (message.kind === "replaying") hear(message);
      }, until),
    lost: (hear, until) => kernel.lost(hear, until),
    faults(hear, until) {
      faulted.add(hear);
      until.addEventListener("abort", () => faulted.delete(hear), { once: true });
    },
    async query(where): Promise<RowsPage> {
      const [{ rows }] = await ask({ kind: "query", id: freshId(), where });
      return told(rows);
    },
    async compare(runs): Promise<Comparison> {
      const [{ comparison }] = await ask({ kind: "compare", id: freshId(), runs });
      return told(comparison);
    },
    async window(asked): Promise<[Part[], Float64Array]> {
      const [{ parts }, data] = await ask({ kind: "window", id: freshId(), ...asked });
      return [told(parts), float64(data)];
    },
    async take(asked): Promise<[Content, Uint8Array]> {
      const [{ content }, data] = await again(() => ask({ kind: "take", id: freshId(), ...asked }));
      return [told(content), data ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength) : new Uint8Array()];
    },
    async note(asked): Promise<Mark[]> {
      const [{ marks }] = await ask({ kind: "note", id: freshId(), ...asked });
      return told(marks);
    },
    steer(asked): Promise<Answer> {
      const intent = { kind: "steer" as const, id: freshId(), ...asked };
      const bySelf = ask(intent).then(([said]) => said);
      return first(bySelf, steerByServer(kernel.get("state").trail, intent));
    },
    async ask(wish): Promise<Answer> {
      const [said] = await ask({ ...wish, id: freshId() } as FromPanel);
      return said;
    },
  };
}

/** Asks once more after a moment: what a page asks before Jupyter has a way past a busy cell waits for its end. */
async function again<Found>(asks: () => Promise<Found>): Promise<Found> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const later = new Promise<Found>((found, refuse) => {
    timer = setTimeout(() => asks().then(found, refuse), AGAIN_MS);
  });
  return Promise.race([asks(), later]).finally(() => clearTimeout(timer));
}

/** The first answer, by whichever way; without a server's, the kernel's, also where that refuses. */
function first(kernel: Promise<Answer>, server: Promise<Answer>): Promise<Answer> {
  return Promise.race([kernel, server.catch(() => kernel)]);
}

function take(waiting: Map<string, Waiting>, id: string): Waiting | undefined {
  const one = waiting.get(id);
  waiting.delete(id);
  return one;
}

function blame(fault: Fault, waiting: Map<string, Waiting>, faulted: Iterable<(sentence: string) => void>): void {
  const one = fault.reply_to === null ? undefined : take(waiting, fault.reply_to);
  if (one) one.refuse(new Error(fault.text));
  else for (const hear of faulted) hear(fault.text);
}

/**
 * Hears points in order; whatever is missed (a gap in `seq`, a start beyond what came) costs one Sync.
 *
 * A Sync waits a moment, because the kernel sends everything from time to time unasked, and because an intent
 * answered while a cell runs makes Jupyter show the busy kernel as idle.
 */
function follow(
  kernel: Kernel<PanelState, object>,
  hear: (points: Points, data: Float64Array) => void,
  signal: AbortSignal,
): void {
  const have = new Map<string, number>();
  let last: number | undefined;
  let syncing: ReturnType<typeof setTimeout> | undefined;

  const sync = (patience: number): void => {
    syncing ??= setTimeout(() => kernel.send({ kind: "sync", id: freshId() }), patience);
  };
  const stop = (): void => {
    clearTimeout(syncing);
    syncing = undefined;
  };
  signal.addEventListener("abort", stop, { once: true });

  kernel.messages((message, buffers) => {
    if (message.kind === "fault") stop();
    if (message.kind !== "points") return;
    if (message.full) {
      stop();
      have.clear();
    } else if (last !== undefined && message.seq !== last + 1) sync(GAP_MS);
    last = message.seq;
    for (const part of message.parts) {
      const key = `${part.run}/${part.metric}`;
      if (part.start > (have.get(key) ?? 0)) sync(GAP_MS);
      have.set(key, part.start + part.n);
    }
    hear(message, float64(buffers[0]));
  }, signal);
  // A panel that appears late (second view, reloaded page) has missed what was sent before.
  sync(APPEARED_MS);
}

/** anywidget's entry: one AbortController ends everything the panel started. */
export function widget<Options>(mount: Mount<Options>): {
  render(context: { model: Model; el: HTMLElement }): () => void;
} {
  return {
    render({ model, el }) {
      const end = new AbortController();
      mount(el, kernelSource<Options>(model, end.signal), end.signal);
      return () => end.abort();
    },
  };
}
