import type { Comparison, MetricSummary, ParamValue, RunRow, RunState, SavedPanel, Scalar } from "../src/contract.ts";

/** A run's row with everything filled in; a test names only what it is about. */
export function run(change: Partial<RunRow> & { id: string }): RunRow {
  return {
    name: change.id,
    status: "finished",
    project: "digits",
    created: 1_790_000_000,
    duration: 12,
    cell: "c1",
    execution_count: 1,
    notebook: "train.ipynb",
    tags: [],
    note: "",
    error: null,
    params: {},
    metrics: {},
    totals: {},
    parent: null,
    came_of: null,
    resumed: 0,
    group: null,
    complete: null,
    starred: false,
    archived: false,
    deleted: false,
    ...change,
  };
}

export function param(value: Scalar): ParamValue {
  return { value, rule: "assign", line: 1 };
}

export function metric(change: Partial<MetricSummary>): MetricSummary {
  return {
    goal: "min",
    last: 1,
    best: 1,
    best_step: 1,
    min: 1,
    max: 1,
    count: 2,
    nan_count: 0,
    spark: [1, 2],
    ...change,
  };
}

export function payload(change: Partial<SavedPanel>): SavedPanel {
  return {
    v: 1,
    kind: "table",
    trail: "t",
    title: "all runs",
    view: null,
    runs: [],
    chart: null,
    table: null,
    series: [],
    marks: [],
    flags: [],
    bands: [],
    groupings: [],
    omitted: 0,
    hints: [],
    rows: [],
    comparison: null,
    detail: null,
    media: null,
    evaluations: [],
    ...change,
  };
}

export function comparison(change: Partial<Comparison>): Comparison {
  return {
    runs: [],
    facts: [],
    params: [],
    data: [],
    metrics: [],
    environment: [],
    code: [],
    outputs: [],
    changed: [],
    ...change,
  };
}

/** A run as a chart is told of it; a test names only what it is about. */
export const state = (run: string, change: Partial<RunState> = {}): RunState => ({
  run,
  name: run,
  status: "running",
  step: 9,
  seconds: 1,
  started: 0,
  axes: [],
  points: 10,
  last: {},
  goals: {},
  earlier: 0,
  beaten: {},
  left: null,
  error: null,
  asked_to: "",
  paused: false,
  knobs: [],
  ...change,
});
