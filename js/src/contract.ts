// Printed from src/celltrail/contract by `make print`; never edited.
export const MIME = "application/vnd.celltrail.panel+json";
export const VERSION = 1;

export type FromKernel = Points | News | Answer | Fault | Replaying;
export type Asked = Note | Comment | Steer | Edit | Undo | SaveView | DropView;
export type FromPanel = Sync | Query | List | Fetch | Learn | Renew | Hold | Sum | Compare | Window | Note | Comment | Steer | Edit | Undo | Write | Complete | Views | OpenView | SaveView | DropView | Draw | Take | Pick | Trace | Replay;
export type Question = Query | List | Fetch | Learn | Sum | Hold | Write | Pick | Trace;
export type Goal = "min" | "max" | "none";
export type MediaKind = "text" | "image" | "figure" | "audio" | "video" | "table" | "histogram";
export type PanelKind = "chart" | "table" | "compare" | "detail" | "media" | "evaluation";
export type Real = number | "nan" | "inf" | "-inf" | null;
export type Scalar = string | number | boolean | null;
export type Smoothing = "none" | "ema" | "time" | "median";
export type Status = "running" | "finished" | "failed" | "interrupted" | "killed";

/** Kernel to panel: exactly one of Answer or Fault for each intent. Parts come with a buffer as in `Points`. */
export interface Answer {
  kind: "answer";
  reply_to: string;
  content: Content | null;
  rows: RowsPage | null;
  comparison: Comparison | null;
  parts: Part[] | null;
  marks: Mark[] | null;
  comments: CommentShown[] | null;
  said: string | null;
  text: string | null;
  proposals: Proposal[] | null;
  views: SavedView[] | null;
  drawn: Drawn | null;
  listing: Listing | null;
  sums: Sums | null;
  stale: Record<string, string> | null;
  executions: ExecutionMap | null;
}

/** Kernel to panel: why an intent could not be answered. */
export interface Fault {
  kind: "fault";
  reply_to: string | null;
  text: string;
}

/** Kernel to panel, at most once a second: how the runs of a table stand that go on or have just ended. */
export interface News {
  kind: "news";
  rows: RunRow[];
  fresh: number;
}

/** Kernel to panel: how far the replay of a run is; once it is over the panel's state has the verdict. */
export interface Replaying {
  kind: "replaying";
  run: string;
  text: string;
  code: string;
  done: number;
  total: number;
  seconds: number;
  over: boolean;
}

/** The cell of one run against the cell of the first. */
export interface CodeDifference {
  run: string;
  cell: string;
  lines: CodeLine[];
}

/** One line of a diff. */
export interface CodeLine {
  mark: " " | "-" | "+";
  text: string;
}

/** Two or more runs, fact by fact. */
export interface Comparison {
  runs: RunRow[];
  facts: Difference[];
  params: Difference[];
  data: Difference[];
  metrics: Difference[];
  environment: Difference[];
  code: CodeDifference[];
  outputs: Piece[][];
  changed: string[];
}

/** One fact with its value in each compared run, in the order of `Comparison.runs`. */
export interface Difference {
  name: string;
  words: string;
  values: Scalar[];
  differs: boolean;
  goal: Goal;
  verdicts: (Verdict | null)[];
}

/** A metric of one run over its repeats or rows, and what can be said of it against the first run. */
export interface Verdict {
  around: string;
  word: string;
  text: string;
}

/** What somebody said about a run. */
export interface CommentShown {
  by: string;
  time: number;
  text: string;
}

/** One run with everything that is known of it. */
export interface Detail {
  run: RunRow;
  sections: Section[];
  code: string;
  outputs: Piece[];
  comments: CommentShown[];
  traceback: string;
  replay: ReplayVerdict | null;
  replayable: boolean;
}

/** How a run is shown. */
export interface DetailOptions {
  tab: string;
  chart: ChartOptions;
  media: MediaOptions;
  evaluation: EvaluationOptions;
}

/** One thing that the cell showed, as it appeared. */
export interface Piece {
  kind: "stdout" | "stderr" | "display" | "result" | "error";
  media: string;
  data: string;
  said: string;
}

/** What came of executing a run again, the last time. */
export interface ReplayVerdict {
  verdict: "reproduced" | "within-tolerance" | "drifted" | "cannot-run";
  text: string;
  at: number;
  facts: string[];
  over: string;
  causes: string[];
}

/** One table of what is known of a run; every row has as many values as there are heads. */
export interface Section {
  tab: string;
  title: string;
  heads: string[];
  rows: Scalar[][];
  more: number;
}

/** Rows whose predicted probability of a label lies from `low` to `high`. */
export interface CalibrationBin {
  label: string;
  low: number;
  high: number;
  predicted: number;
  observed: number;
  rows: number;
}

/** One run on the split. */
export interface EvaluatedRun {
  run: string;
  name: string;
  rows: number;
  scores: EvaluationScore[];
  confusion: number[][];
  curves: EvaluationCurve[];
  dots: ThresholdDot[];
  bins: CalibrationBin[];
  residuals: number[];
  scatter: ScatterBin[];
  heads: string[];
  worst: Scalar[][];
  fairness: FairnessShown | null;
}

/** A curve of one label against the rest, thinned. */
export interface EvaluationCurve {
  kind: "roc" | "precision_recall";
  label: string;
  x: number[];
  y: number[];
}

/** How an evaluation is shown: the panel owns it. */
export interface EvaluationOptions {
  split: string;
  label: string;
  shares: boolean;
}

/** One metric with its 95% interval. */
export interface EvaluationScore {
  name: string;
  value: Real;
  low: Real;
  high: Real;
  method: string;
  goal: Goal;
}

/** One split of some runs, side by side. */
export interface EvaluationShown {
  split: string;
  task: "binary" | "multiclass" | "regression" | "ranking" | "text";
  labels: string[];
  edges: number[];
  span: number[];
  runs: EvaluatedRun[];
  omitted: number;
}

/** The rates of one group of a feature. */
export interface FairGroup {
  feature: string;
  group: string;
  rows: number;
  scores: EvaluationScore[];
}

/** How a run treats groups. */
export interface FairnessShown {
  positive: string;
  few: number;
  gaps: EvaluationScore[];
  groups: FairGroup[];
  heads: string[];
  slices: Scalar[][];
}

/** Rows whose truth and whose prediction lie in these ranges: how many, and where they are on average. */
export interface ScatterBin {
  low: number;
  high: number;
  output_low: number;
  output_high: number;
  truth: number;
  output: number;
  rows: number;
}

/** How a label is told from the rest when rows that score at least the threshold count as it. */
export interface ThresholdDot {
  label: string;
  threshold: number;
  fpr: number;
  recall: number;
  precision: number;
}

/** What ran in the kernel up to a run, oldest first. */
export interface ExecutionMap {
  executions: ExecutionShown[];
  more: number;
  lower_bound: string[];
}

/** One execution of the kernel session of a run. */
export interface ExecutionShown {
  id: string;
  count: number | null;
  cell: string | null;
  nth: number;
  of: number;
  status: "running" | "ok" | "error" | "interrupted" | "killed" | "skipped";
  error: string;
  code: string;
  is_whole: boolean;
  run: string;
  name: string;
  role: "run" | "needed" | "other";
  what: string;
  got: Handed[];
  stale: string;
}

/** What an execution got from an earlier one. */
export interface Handed {
  execution: string;
  names: string[];
}

/** Panel to kernel: say this about a run; answered by all comments. */
export interface Comment {
  kind: "comment";
  id: string;
  run: string;
  text: string;
}

/** Panel to kernel: the comparison of these runs. */
export interface Compare {
  kind: "compare";
  id: string;
  runs: string[];
}

/** Panel to kernel: what may be written next in an expression. */
export interface Complete {
  kind: "complete";
  id: string;
  where: string;
  cursor: number;
}

/** Panel to kernel: the curves of these runs. */
export interface Draw {
  kind: "draw";
  id: string;
  runs: string[];
}

/** Panel to kernel: take a view back. */
export interface DropView {
  kind: "drop_view";
  id: string;
  name: string;
}

/** Panel to kernel: change what is said of these runs; the answer says what was done. */
export interface Edit {
  kind: "edit";
  id: string;
  runs: string[];
  do: "rename" | "tag" | "untag" | "note" | "rewrite" | "star" | "unstar" | "archive" | "unarchive" | "delete" | "undelete";
  text: string;
}

/** Panel to kernel: the rows of these runs. */
export interface Fetch {
  kind: "fetch";
  id: string;
  runs: string[];
  sparks: boolean;
  columns: string[];
}

/** Panel to kernel: which of these runs do not hold any more. */
export interface Hold {
  kind: "hold";
  id: string;
  runs: string[];
}

/** Panel to kernel: somebody is about to look for words among more runs than the panel holds. */
export interface Learn {
  kind: "learn";
  id: string;
}

/** Panel to kernel: which of more runs than a panel holds are to be seen, in which order. */
export interface List {
  kind: "list";
  id: string;
  where: string;
  words: string;
  sort: string[];
  group: string[];
  stamp: string;
  first: number;
  shown: string[];
  columns: string[];
}

/** Panel to kernel: keep this note on a point, or on a step of the run; answered by all marks. */
export interface Note {
  kind: "note";
  id: string;
  run: string;
  metric: string | null;
  step: number;
  text: string;
}

/** Panel to kernel: show this view; "" is what the cell asked for. The state has its rows and options. */
export interface OpenView {
  kind: "open_view";
  id: string;
  name: string;
}

/** Panel to kernel: the rows behind a part of an evaluation; by labels, or by a range. */
export interface Pick {
  kind: "pick";
  id: string;
  run: string;
  split: string;
  of: "confusion" | "calibration" | "threshold" | "residuals" | "scatter";
  truth: string;
  output: string;
  low: number;
  high: number;
  output_low: number;
  output_high: number;
}

/** Panel to kernel: the rows that match this expression; "" is all of the panel's runs. */
export interface Query {
  kind: "query";
  id: string;
  where: string;
}

/** Panel to kernel: ask the question of this table again; the state has the runs there are now. */
export interface Renew {
  kind: "renew";
  id: string;
}

/** Panel to kernel: execute this run again in a process of its own, or stop that; the answer says what is done. */
export interface Replay {
  kind: "replay";
  id: string;
  run: string;
  do: "start" | "stop";
}

/** Panel to kernel: keep what is shown under a name. */
export interface SaveView {
  kind: "save_view";
  id: string;
  name: string;
  where: string;
  options: TableOptions;
}

/** Panel to kernel: what a run that goes on is to do; the answer says what will happen. */
export interface Steer {
  kind: "steer";
  id: string;
  run: string;
  do: "stop" | "pause" | "resume" | "turn";
  knob: string;
  value: number | null;
}

/** Panel to kernel: these columns over all runs of a `List`, and of each of its groups. */
export interface Sum {
  kind: "sum";
  id: string;
  where: string;
  words: string;
  group: string[];
  sort: string[];
  columns: string[];
}

/** Panel to kernel: I (re)appeared or missed something, send a full `Points`. */
export interface Sync {
  kind: "sync";
  id: string;
}

/** Panel to kernel: one item of a run. */
export interface Take {
  kind: "take";
  id: string;
  run: string;
  number: number;
}

/** Panel to kernel: what ran for this run, and in which order. */
export interface Trace {
  kind: "trace";
  id: string;
  run: string;
}

/** Panel to kernel: take an `Edit` back. */
export interface Undo {
  kind: "undo";
  id: string;
  edit: string;
}

/** Panel to kernel: the saved views. */
export interface Views {
  kind: "views";
  id: string;
}

/** Panel to kernel: this stretch of x again, with at most so many points a series. */
export interface Window {
  kind: "window";
  id: string;
  runs: string[];
  metrics: string[];
  x: string;
  low: number;
  high: number;
  points: number;
}

/** Panel to kernel: these runs as text, in this order; with a value as its means over rows and columns. */
export interface Write {
  kind: "write";
  id: string;
  form: "csv" | "tsv" | "markdown" | "latex";
  runs: string[];
  columns: string[];
  rows: string[];
  cols: string[];
  value: string | null;
}

/** What is in an item: bytes beside it, or text, counts or rows; in `said` why nothing is, or what to know of it. */
export interface Content {
  media: string;
  said: string;
  text: string | null;
  counts: number[];
  edges: number[];
  heads: string[];
  rows: Scalar[][];
  more: number;
}

/** One item in the saved form. */
export interface Kept {
  run: string;
  number: number;
  content: Content;
  data: string;
}

/** One thing that a run kept beside numbers, without its bytes. */
export interface MediaItem {
  run: string;
  number: number;
  key: string;
  kind: MediaKind;
  step: number | null;
  digest: string;
  said: string;
}

/** How media are shown: the panel owns it. */
export interface MediaOptions {
  key: string;
  step: number | null;
  how: "beside" | "overlay" | "difference";
  first: string;
  second: string;
  share: number;
}

/** What some runs kept beside numbers. */
export interface MediaShown {
  runs: Record<string, string>;
  items: MediaItem[];
  omitted: number;
  kept: Kept[];
}

/** Where earlier runs of the same cell stood, at each step their quartiles; or the ranks, their ends and mean. */
export interface Band {
  metric: string;
  runs: number;
  step: string;
  low: string;
  middle: string;
  high: string;
}

/** How a chart is drawn: the panel owns it, the saved form keeps it. */
export interface ChartOptions {
  x: string;
  y: "linear" | "log" | "symlog";
  hidden: string[];
  smooth: Smoothing;
  weight: number;
  group: string;
  spread: "interval" | "range";
  folded: string[];
}

/** The curves of some runs. */
export interface Drawn {
  runs: RunState[];
  groupings: Grouping[];
  series: SavedSeries[];
  omitted: number;
}

/** Something that the run itself said of a place: an alert. */
export interface Flag {
  run: string;
  metric: string | null;
  step: number | null;
  level: "info" | "warn" | "error";
  text: string;
}

/** A way in which runs belong together. */
export interface Grouping {
  by: string;
  of: Record<string, string>;
}

/** A number of a run that goes on, which its code lets people change. */
export interface Knob {
  name: string;
  value: number;
  wanted: number | null;
  low: number | null;
  high: number | null;
  whole: boolean;
}

/** A note on a place in a run. */
export interface Mark {
  run: string;
  metric: string | null;
  step: number | null;
  text: string;
}

/** One stretch of one series inside a `Points` message. */
export interface Part {
  run: string;
  metric: string;
  start: number;
  n: number;
}

/** Kernel to panel, at most one a tick. buffers[0] is float64 LE: per part n steps, n seconds, n values. */
export interface Points {
  kind: "points";
  seq: number;
  full: boolean;
  parts: Part[];
  runs: RunState[];
}

/** What a live panel must know about a run besides its points. */
export interface RunState {
  run: string;
  name: string;
  status: Status;
  step: number | null;
  seconds: number;
  started: number;
  axes: string[];
  points: number;
  last: Record<string, Real>;
  goals: Record<string, Goal>;
  earlier: number;
  beaten: Record<string, number>;
  left: number | null;
  error: string | null;
  asked_to: "" | "stop" | "pause";
  paused: boolean;
  knobs: Knob[];
}

/** One series at rest; NaN-safe and small. */
export interface SavedSeries {
  run: string;
  metric: string;
  n: number;
  step: string;
  seconds: string;
  value: string;
}

/** How much a run has of what its project asks. */
export interface Completeness {
  met: number;
  of: number;
  text: string;
}

/** All that a table of more runs than a panel holds can show; it comes once. */
export interface Extent {
  stamp: string;
  runs: string[];
  heads: Head[];
}

/** Runs that are alike in what a table is grouped by. */
export interface GroupOf {
  values: Scalar[];
  size: number;
}

/** A column of a table of more runs than a panel holds. */
export interface Head {
  id: string;
  numeric: boolean;
  goal: Goal;
  same: boolean;
}

/** The answer to a `List`: which runs in which order; what they say comes by `Fetch` as they come into view. */
export interface Listing {
  extent: Extent | null;
  places: string;
  groups: GroupOf[] | null;
  hints: string[];
}

/** One metric of one run, in a few numbers. */
export interface MetricSummary {
  goal: Goal;
  last: Real;
  best: Real;
  best_step: number | null;
  min: Real;
  max: Real;
  count: number;
  nan_count: number;
  spark: (number | null)[];
}

/** One parameter and how celltrail came to know it. */
export interface ParamValue {
  value: Scalar;
  rule: string;
  line: number | null;
}

/** The answer to a `Query`. */
export interface RowsPage {
  rows: RunRow[];
  total: number;
  hints: string[];
}

/** One run as the table, the side bar, the CLI and a report show it. */
export interface RunRow {
  id: string;
  name: string;
  status: Status;
  project: string;
  created: number;
  duration: number | null;
  cell: string | null;
  execution_count: number | null;
  notebook: string | null;
  tags: string[];
  note: string;
  error: string | null;
  params: Record<string, ParamValue>;
  metrics: Record<string, MetricSummary>;
  totals: Record<string, number>;
  parent: string | null;
  came_of: string | null;
  resumed: number;
  group: string | null;
  complete: Completeness | null;
  starred: boolean;
  archived: boolean;
  deleted: boolean;
}

/** What some runs have in a column: of numbers mean, half of its 95% interval and range, of the rest the values. */
export interface Summed {
  known: number;
  unknown: number;
  mean: number | null;
  half: number | null;
  low: number | null;
  high: number | null;
  values: Scalar[];
  kinds: number;
}

/** The answer to a `Sum`. */
export interface Sums {
  groups: Record<string, Summed>[];
  best: Record<string, string[]>;
}

/** The payload of `MIME`: all a panel needs to be shown again without a kernel. */
export interface SavedPanel {
  v: number;
  kind: PanelKind;
  trail: string;
  title: string;
  view: string | null;
  runs: RunState[];
  chart: ChartOptions | null;
  table: TableOptions | null;
  series: SavedSeries[];
  marks: Mark[];
  flags: Flag[];
  bands: Band[];
  groupings: Grouping[];
  omitted: number;
  rows: RunRow[];
  hints: string[];
  comparison: Comparison | null;
  detail: Detail | null;
  media: MediaShown | null;
  evaluations: EvaluationShown[];
}

/** The newest run of a cell of a notebook. */
export interface CellRun {
  cell: string;
  run: string;
  name: string;
  status: Status;
  said: string;
  already: string;
  previous: string | null;
}

/** What a server says first. */
export interface Hello {
  version: string;
  contract: number;
  trails: Trail[];
}

/** A trail that a server shows. */
export interface Trail {
  id: string;
  name: string;
  folder: string | null;
  live: number;
}

/** Runs of several trails, the newest first. */
export interface TrailRows {
  rows: RunRow[];
  trails: string[];
  total: number;
}

/** What may be written next: the characters from `start` to `end` become `text`. */
export interface Proposal {
  start: number;
  end: number;
  text: string;
  kind: string;
  runs: number | null;
}

/** A question that got a name, for all who use the trail. */
export interface SavedView {
  name: string;
  where: string;
}

/** How a table is shown: the panel owns it. */
export interface TableOptions {
  sort: string[];
  filter: string;
  selected: string[];
  columns: string[] | null;
  differing: boolean | null;
  pinned: string[];
  widths: Record<string, number>;
  group: string[];
  folded: string[];
  baseline: string | null;
}
