import type { Completeness, RunRow } from "../../contract.ts";
import { element } from "../element.ts";
import { formatAgo, formatDuration, formatMoment } from "../format.ts";
import { statusChip } from "../status.ts";

/** How much it has of what its project asks, and what it lacks; saved panels may not say. */
function completenessChip(complete: Completeness | null | undefined): HTMLElement | null {
  if (!complete) return null;
  const lacks = complete.met < complete.of;
  return element("span", { class: "ct-complete", "data-lacks": lacks ? "true" : null }, `complete ${complete.text}`);
}

/** Which run this is and how it stands. */
export function headView(run: RunRow, hints: readonly string[]): HTMLElement {
  const muted = (text: string, title: string | null = null): HTMLElement =>
    element("span", { class: "ct-muted", title }, text);
  const line = element(
    "div",
    { class: "ct-head" },
    element("h2", { title: run.id }, run.name),
    statusChip(run.status),
    muted(formatAgo(run.created, Date.now() / 1000), formatMoment(run.created)),
    run.duration === null ? null : muted(formatDuration(run.duration)),
    ...run.tags.map((tag) => element("span", { class: "ct-tag" }, tag)),
    completenessChip(run.complete),
  );
  return element(
    "div",
    {},
    line,
    ...hints.map((hint) => element("p", { class: "ct-hint", role: "status" }, hint)),
    run.error === null ? null : element("p", { class: "ct-error ct-why" }, run.error),
    run.note === "" ? null : element("p", { class: "ct-noted" }, run.note),
  );
}
