import { assert } from "./assert.ts";
import type {
  Answer,
  Asked,
  CellRun,
  Comparison,
  Content,
  Drawn,
  FromPanel,
  Hello,
  Mark,
  News,
  Part,
  Points,
  Proposal,
  Question,
  RowsPage,
  SavedPanel,
  SavedView,
  TrailRows,
} from "./contract.ts";
import { request } from "./request.ts";
import type { Source, Wish } from "./source.ts";

type Words = Record<string, string | number | readonly string[] | undefined>;

const FOLLOW_MS = 1000;
const CHANGES: readonly string[] = [
  "note",
  "comment",
  "steer",
  "edit",
  "undo",
  "save_view",
  "drop_view",
] satisfies Asked["kind"][];
const QUESTIONS: readonly string[] = [
  "query",
  "list",
  "fetch",
  "sum",
  "hold",
  "write",
  "pick",
  "trace",
] satisfies Question["kind"][];

let asked = 0;
const page = Math.random().toString(36).slice(2, 10);
const freshId = (): string => `${page}-s${++asked}`;

/** What may be asked about the rows of a trail. */
export interface RowsAsked {
  where: string;
  sort?: string[];
  offset?: number;
  limit?: number;
}

/**
 * The server extension's first word; null where this server has none.
 *
 * @param near - a notebook whose trail may have just come to be, as the server names it
 */
export async function hello(near = ""): Promise<Hello | null> {
  try {
    const reply = await ask("hello", near ? { near } : {});
    return reply.headers.get("Content-Type")?.includes("json") ? ((await reply.json()) as Hello) : null;
  } catch (problem) {
    if (problem instanceof ServerFault && problem.status === 404) return null;
    throw problem;
  }
}

/** The newest runs of these trails that match, each with its trail. */
export async function newest(
  trails: readonly string[],
  where: string,
  limit: number,
  signal: AbortSignal,
): Promise<TrailRows> {
  return (await (await ask("runs", { q: where, limit, trails: trails.join(",") }, {}, signal)).json()) as TrailRows;
}

/** The server refused, with a sentence for the user. */
export class ServerFault extends Error {
  constructor(
    readonly status: number,
    sentence: string,
  ) {
    super(sentence);
  }
}

/** One trail as the server extension shows it: no kernel is asked. */
export class TrailServer {
  constructor(readonly id: string) {}

  rows({ where, sort, offset, limit }: RowsAsked, signal?: AbortSignal): Promise<RowsPage> {
    return this.#json("runs", { q: where, sort: sort?.join(","), offset, limit }, signal);
  }

  /** The run table of a saved view, "" of all runs. */
  table(view: string): Promise<SavedPanel> {
    return this.#json("table", { view });
  }

  /** What has become of these runs, and how many came after that one. */
  news(view: string, since: string, runs: readonly string[], signal?: AbortSignal): Promise<News> {
    return this.#json("news", { view, since, runs: runs.join(",") }, signal);
  }

  run(id: string, signal?: AbortSignal): Promise<SavedPanel> {
    return this.#json(`runs/${id}`, {}, signal);
  }

  /** The newest run of each cell of a notebook. */
  cells(notebook: string): Promise<CellRun[]> {
    return this.#json("cells", { notebook });
  }

  compare(runs: readonly string[]): Promise<Comparison> {
    return this.#json("compare", { runs: runs.join(",") });
  }

  drawn(runs: readonly string[]): Promise<Drawn> {
    return this.#json("drawn", { runs: runs.join(",") });
  }

  complete(where: string, cursor: number): Promise<Proposal[]> {
    return this.#json("complete", { q: where, cursor });
  }

  views(): Promise<SavedView[]> {
    return this.#json("views", {});
  }

  async series(runs: readonly string[], words: Words = {}, signal?: AbortSignal): Promise<[Points, Float64Array]> {
    const reply = await ask(this.#path("series"), { runs: runs.join(","), ...words }, {}, signal);
    return unpack(await reply.arrayBuffer());
  }

  async item(run: string, number: number): Promise<[Content, Uint8Array]> {
    const reply = await ask(this.#path("item"), { run, number });
    return framed<Content>(await reply.arrayBuffer());
  }

  change(intent: Asked): Promise<Answer> {
    return this.#send("intents", {}, intent);
  }

  /** What an intent asks without changing anything, about the table of a view. */
  question(intent: Question, view: string): Promise<Answer> {
    return this.#send("questions", { view }, intent);
  }

  async #send(what: string, words: Words, intent: Asked | Question): Promise<Answer> {
    const sent = { method: "POST", body: JSON.stringify(intent) };
    return (await (await ask(this.#path(what), words, sent)).json()) as Answer;
  }

  async #json<Found>(what: string, words: Words, signal?: AbortSignal): Promise<Found> {
    return (await (await ask(this.#path(what), words, {}, signal)).json()) as Found;
  }

  #path(what: string): string {
    return `trails/${this.id}/${what}`;
  }
}

/** Points and their float64 columns. */
export function unpack(body: ArrayBuffer): [Points, Float64Array] {
  const [points, data] = framed<Points>(body);
  return [points, new Float64Array(body, data.byteOffset)];
}

/** The JSON in front, then bytes from the next multiple of 8. */
function framed<Head>(body: ArrayBuffer): [Head, Uint8Array] {
  const length = new DataView(body).getUint32(0, true);
  const head = JSON.parse(new TextDecoder().decode(new Uint8Array(body, 4, length))) as Head;
  return [head, new Uint8Array(body, Math.ceil((4 + length) / 8) * 8)];
}

async function ask(
  path: string,
  words: Words = {},
  init: RequestInit = {},
  signal: AbortSignal | null = null,
): Promise<Response> {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(words)) {
    if (value === undefined) continue;
    for (const each of Array.isArray(value) ? value : [value]) query.append(name, String(each));
  }
  const reply = await request(`${path}${query.size > 0 ? `?${query}` : ""}`, { ...init, signal });
  if (reply.ok) return reply;
  const fault = (await reply.json().catch(() => null)) as { text?: string } | null;
  throw new ServerFault(reply.status, fault?.text ?? `the server answered ${reply.status} ${reply.statusText}`);
}

/**
 * A panel's facts from the server. The payload is the caller's to renew; points of runs that go on are asked for
 * once a second.
 */
export function serverSource<Options>(
  trail: TrailServer,
  payload: () => SavedPanel,
  options: Options,
  renewed: (hear: () => void, signal: AbortSignal) => void,
  view: () => string = () => "",
): Source<Options> {
  let kept = options;
  return {
    kind: "kernel",
    payload,
    changed: renewed,
    options: () => kept,
    keep(changed) {
      kept = changed;
    },
    follow: (hear, signal) => follow(trail, payload, hear, signal),
    news() {},
    faults() {},
    async query(where) {
      const { rows } = await trail.question({ kind: "query", id: freshId(), where }, view());
      assert(rows, "the server answered a query without rows");
      return rows;
    },
    compare: (runs) => trail.compare(runs),
    async window(asked): Promise<[Part[], Float64Array]> {
      const { runs, metrics, x, low, high, points } = asked;
      const [message, data] = await trail.series(runs, { metric: metrics, x, lo: low, hi: high, width: points });
      return [message.parts, data];
    },
    take: ({ run, number }) => trail.item(run, number),
    async note(asked): Promise<Mark[]> {
      const { marks } = await trail.change({ kind: "note", id: freshId(), ...asked });
      assert(marks, "the server answered a note without the notes that there are");
      return marks;
    },
    steer: (asked) => trail.change({ kind: "steer", id: freshId(), ...asked }),
    ask: (wish) => answer(trail, wish, view()),
  };
}

async function answer(trail: TrailServer, wish: Wish, view: string): Promise<Answer> {
  const intent = { ...wish, id: freshId() } as FromPanel;
  switch (intent.kind) {
    case "complete":
      return said(intent.id, { proposals: await trail.complete(intent.where, intent.cursor) });
    case "draw":
      return said(intent.id, { drawn: await trail.drawn(intent.runs) });
    case "views":
      return said(intent.id, { views: await trail.views() });
  }
  if (QUESTIONS.includes(intent.kind)) return trail.question(intent as Question, view);
  if (CHANGES.includes(intent.kind)) return trail.change(intent as Asked);
  throw new Error("this needs the kernel of a notebook");
}

/** An answer that says only this. */
export function said(reply_to: string, parts: Partial<Answer>): Answer {
  return {
    kind: "answer",
    reply_to,
    rows: null,
    comparison: null,
    parts: null,
    content: null,
    marks: null,
    comments: null,
    said: null,
    text: null,
    proposals: null,
    views: null,
    drawn: null,
    listing: null,
    sums: null,
    stale: null,
    executions: null,
    ...parts,
  };
}

/** All points of the payload's runs, and again while one goes on. */
function follow(
  trail: TrailServer,
  payload: () => SavedPanel,
  hear: (points: Points, data: Float64Array) => void,
  signal: AbortSignal,
): void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let seq = 0;
  const look = async (): Promise<void> => {
    const runs = payload().runs.map(({ run }) => run);
    try {
      const [points, data] = await trail.series(runs, { width: 1000 }, signal);
      if (signal.aborted) return;
      hear({ ...points, seq: seq++ }, data);
      if (!points.runs.some(({ status }) => status === "running")) return;
    } catch {
      if (signal.aborted) return; // a server that restarts: asked again
    }
    timer = setTimeout(() => void look(), FOLLOW_MS);
  };
  signal.addEventListener("abort", () => clearTimeout(timer));
  void look();
}
