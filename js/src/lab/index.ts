import { saved } from "./saved.ts";
import { status } from "./status.ts";

export default [saved, status];
