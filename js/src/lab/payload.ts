import { type SavedPanel, VERSION } from "../contract.ts";

const LISTS = ["runs", "series", "rows"] as const;
const KINDS: readonly unknown[] = ["chart", "table", "compare", "detail", "media", "evaluation"];

/** What a notebook file holds under our MIME type, or the sentence why it cannot be drawn. */
export function readPayload(data: unknown): SavedPanel | string {
  if (typeof data !== "object" || data === null) return "this output holds no panel";
  const { v, kind, ...rest } = data as Record<string, unknown>;
  if (typeof v === "number" && v > VERSION) {
    return `saved by a newer celltrail (form ${v}, this one reads ${VERSION}): update celltrail to see more than this`;
  }
  if (v !== VERSION || !KINDS.includes(kind) || !LISTS.every((name) => Array.isArray(rest[name]))) {
    return "this output is damaged: celltrail cannot read it";
  }
  return data as SavedPanel;
}
