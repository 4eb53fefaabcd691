import { hello, newest, TrailServer } from "../server.ts";
import type { RunListOwner } from "../ui/runlist/list.ts";
import type { Shown } from "./panel.ts";

/** What the list needs of the page that it stands in. */
export interface ListPlace extends Pick<RunListOwner, "code" | "visible" | "grouped" | "pause"> {
  /** The notebook in front, whose trail may have just come to be; "" without one. */
  near?(): string;
  open(shown: Shown): void;
}

const MOST_ASKED = 4; // trails, for what may be written next in an expression
let edits = 0;

/** The runs of all trails in reach, from the server; what is clicked is done there, or opened in this place. */
export function servedList(place: ListPlace): RunListOwner {
  const of = (trail: string): TrailServer => new TrailServer(trail);
  return {
    async trails() {
      const said = await hello(place.near?.() ?? "");
      if (!said) throw new Error("this Jupyter server has no celltrail: install it where the server runs");
      return said.trails;
    },
    rows: newest,
    async complete(trails, where, cursor) {
      const found = await Promise.all(trails.slice(0, MOST_ASKED).map((trail) => of(trail).complete(where, cursor)));
      return [...new Map(found.flat().map((proposal) => [proposal.text, proposal])).values()];
    },
    open: (trail, run) => place.open({ kind: "detail", trail, runs: [run.id], title: run.name }),
    compare: (trail, runs) => place.open({ kind: "compare", trail, runs: [...runs], title: `${runs.length} runs` }),
    table: (trail, title) => place.open({ kind: "table", trail, runs: [], title }),
    async change(trail, runs, what, text) {
      const id = `list-${Date.now()}-${++edits}`;
      const { said } = await of(trail).change({ kind: "edit", id, runs: [...runs], do: what, text });
      return said ?? "";
    },
    code: place.code,
    visible: () => place.visible(),
    grouped: place.grouped ?? "nothing",
    pause: place.pause,
  };
}
