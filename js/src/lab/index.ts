import { alerts } from "./alerts.ts";
import { cells } from "./cells.ts";
import { commands } from "./commands.ts";
import { restoring } from "./restoring.ts";
import { runs } from "./runs.ts";
import { saved } from "./saved.ts";
import { status } from "./status.ts";
import { vega } from "./vega.ts";

export default [alerts, cells, commands, restoring, runs, saved, status, vega];
