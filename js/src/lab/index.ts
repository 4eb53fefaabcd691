import { runs } from "./runs.ts";
import { saved } from "./saved.ts";
import { status } from "./status.ts";
import { vega } from "./vega.ts";

export default [runs, saved, status, vega];
