import type { Answer, SavedPanel, TableOptions } from "../contract.ts";
import { said, serverSource, type TrailServer } from "../server.ts";
import type { Source, Wish } from "../source.ts";

const LIVE_MS = 2000;
const REST_MS = 10_000;

/** The run table of a trail, from the server: all its runs or those of a saved view, and what becomes of them. */
export async function tableSource(trail: TrailServer, visible: () => boolean): Promise<Source<TableOptions>> {
  const table = new ServedTable(trail, visible);
  await table.renew("");
  return table.source();
}

class ServedTable {
  readonly #hearing = new Set<() => void>();
  #view = "";
  #payload: SavedPanel | undefined;

  constructor(
    private readonly trail: TrailServer,
    private readonly visible: () => boolean,
  ) {}

  source(): Source<TableOptions> {
    const { table } = this.#now;
    if (!table) throw new Error("the server answered without how the table is shown");
    const changed = (hear: () => void, until: AbortSignal): void => {
      this.#hearing.add(hear);
      until.addEventListener("abort", () => this.#hearing.delete(hear), { once: true });
    };
    const source = serverSource(
      this.trail,
      () => this.#now,
      table,
      changed,
      () => this.#view,
    );
    return {
      ...source,
      news: (hear, until) => this.#follow(hear, until),
      ask: (wish) => this.#ask(source, wish),
    };
  }

  /** Reads the table again, of this view from now on. */
  async renew(view: string): Promise<void> {
    this.#payload = await this.trail.table(view);
    this.#view = view;
    for (const hear of this.#hearing) hear();
  }

  get #now(): SavedPanel {
    if (!this.#payload) throw new Error("the table was not read yet");
    return this.#payload;
  }

  async #ask(source: Source<TableOptions>, wish: Wish): Promise<Answer> {
    if (wish.kind === "renew") return this.renew(this.#view).then(() => said("renew", {}));
    if (wish.kind === "open_view") return this.renew(wish.name).then(() => said("open_view", {}));
    const answer = await source.ask(wish);
    if (wish.kind === "edit" || wish.kind === "undo") await this.renew(this.#view);
    return answer;
  }

  #follow(hear: Parameters<Source<TableOptions>["news"]>[0], until: AbortSignal): void {
    let going = this.#now.rows.filter(({ status }) => status === "running").map(({ id }) => id);
    let timer: ReturnType<typeof setTimeout> | undefined;
    const look = async (): Promise<void> => {
      if (this.visible()) {
        try {
          const since =
            this.#now.rows
              .map(({ id }) => id)
              .sort()
              .at(-1) ?? "";
          const news = await this.trail.news(this.#view, since, going, until);
          if (until.aborted) return;
          going = news.rows.filter(({ status }) => status === "running").map(({ id }) => id);
          hear(news);
        } catch {
          if (until.aborted) return; // a server that restarts: asked again
        }
      }
      timer = setTimeout(() => void look(), going.length > 0 ? LIVE_MS : REST_MS);
    };
    until.addEventListener("abort", () => clearTimeout(timer));
    timer = setTimeout(() => void look(), LIVE_MS);
  }
}
