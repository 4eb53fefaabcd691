import type { Shown } from "../served/panel.ts";

const KINDS = ["detail", "compare", "table"] as const;
const ID = /^[0-9A-HJKMNP-TV-Z]{26}$/;

/** What is shown as the part of the address behind "#", for links and for the browser's own back and forth. */
export function addressOf({ kind, trail, runs }: Shown): string {
  return `#${[kind, trail, runs.join(",")].filter(Boolean).join("/")}`;
}

/** What such a part names; undefined where it names nothing that can be shown. */
export function shownBy(hash: string): Shown | undefined {
  const [word, trail = "", some = ""] = hash.replace(/^#/, "").split("/");
  const kind = KINDS.find((each) => each === word);
  const runs = some.split(",").filter(Boolean);
  if (!kind || ![trail, ...runs].every((id) => ID.test(id))) return undefined;
  const title = { detail: "run", compare: `${runs.length} runs`, table: "runs" }[kind];
  const [least, most] = { detail: [1, 1], compare: [2, Number.POSITIVE_INFINITY], table: [0, 0] }[kind];
  return runs.length >= (least ?? 0) && runs.length <= (most ?? 0) ? { kind, trail, runs, title } : undefined;
}
