import type { RunState } from "../contract.ts";
import { formatReal } from "../ui/format.ts";

/** As much of a Jupyter message as is looked at. */
export interface Heard {
  header: { msg_type: string };
  content: unknown;
}

/** An alert of a run that a cell shows as a line. */
export interface AlertHeard {
  level: string;
  said: string;
}

/** What a widget was sent by its kernel, when this message carries that to the widget of this comm. */
export function customHeard(message: Heard, comm: string): unknown {
  if (message.header.msg_type !== "comm_msg" || field(message.content, "comm_id") !== comm) return undefined;
  const data = field(message.content, "data");
  const content = field(data, "method") === "custom" ? field(data, "content") : undefined;
  return typeof field(content, "kind") === "string" ? content : undefined;
}

/** The runs told of by a kernel's message when it is one of our `Points`; anything else is nothing. */
export function runsHeard(message: Heard): RunState[] {
  if (message.header.msg_type !== "comm_msg") return [];
  const points = field(field(message.content, "data"), "content");
  if (field(points, "kind") !== "points" || !Array.isArray(field(points, "parts"))) return [];
  const runs = field(points, "runs");
  return Array.isArray(runs) ? runs.filter(isRunState) : [];
}

/** The alert that this message shows in a cell, when it is one. */
export function alertHeard(message: Heard): AlertHeard | undefined {
  if (message.header.msg_type !== "display_data") return undefined;
  const metadata = field(message.content, "metadata");
  const said = field(metadata, "said");
  if (field(metadata, "celltrail") !== "alert" || typeof said !== "string") return undefined;
  return { level: String(field(metadata, "level")), said };
}

/** The run to speak of: the one that is going, else the last that was told of. */
export function current(runs: readonly RunState[]): RunState | undefined {
  return runs.findLast((run) => run.status === "running") ?? runs.at(-1);
}

/** "baseline · step 120 · loss 0.3120"; an ended run says how it ended. */
export function sentence({ name, status, step, last }: RunState): string {
  const parts = [name];
  if (status !== "running") parts.push(status);
  if (step) parts.push(`step ${step}`); // the first one says nothing yet, and of a single value never will
  const metric = headline(Object.keys(last));
  if (metric !== undefined) parts.push(`${metric} ${formatReal(last[metric] ?? null)}`);
  return parts.join(" · ");
}

/** A loss if there is one, that of training first; else what was logged first. */
function headline(metrics: readonly string[]): string | undefined {
  const losses = metrics.filter((metric) => metric.split("/").at(-1) === "loss");
  return losses.find((metric) => metric === "train/loss") ?? losses[0] ?? metrics[0];
}

function isRunState(value: unknown): value is RunState {
  const last = field(value, "last");
  return typeof field(value, "name") === "string" && typeof last === "object" && last !== null;
}

function field(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}
