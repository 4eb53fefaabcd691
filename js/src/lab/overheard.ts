import type { ISessionContext } from "@jupyterlab/apputils";
import type { KernelMessage } from "@jupyterlab/services";
import type { ChartOptions, FromKernel, FromPanel, SavedPanel } from "../contract.ts";
import { kernelSource, type Model } from "../kernel.ts";
import { snapshot } from "../saved.ts";
import type { Source } from "../source.ts";
import { sendBeside } from "./beside.ts";
import { customHeard } from "./heard.ts";

type Hear = (message: FromKernel, buffers: DataView[]) => void;

/**
 * A running chart after a reload of the page. Jupyter's widgets come back only when the kernel is free to tell which
 * there are, hours later perhaps; the points meanwhile pass by on the wire and can be listened to.
 */
export function overheardSource(
  payload: SavedPanel,
  options: ChartOptions,
  view: string,
  session: ISessionContext,
  signal: AbortSignal,
): Source<ChartOptions> {
  const source = kernelSource<ChartOptions>(new Overheard(payload, options, view, session), signal);
  let lives = false;
  return {
    ...source,
    kind: "saved", // nobody promises that this kernel still has something to say
    get steer() {
      return lives ? source.steer : undefined;
    },
    follow(hear, until) {
      if (payload.series.length > 0) hear(...snapshot(payload));
      source.follow((points, data) => {
        lives = true;
        hear(points, data);
      }, until);
    },
  };
}

/** As much of a widget model as can be had by listening. */
class Overheard implements Model {
  readonly #traits: Record<string, unknown>;
  readonly #hearing = new Map<unknown, (_: unknown, message: KernelMessage.IMessage) => void>();

  constructor(
    payload: SavedPanel,
    options: ChartOptions,
    private readonly comm: string,
    private readonly session: ISessionContext,
  ) {
    this.#traits = { state: payload, options };
  }

  get(name: string): unknown {
    return this.#traits[name];
  }

  set(name: string, value: unknown): void {
    this.#traits[name] = value;
  }

  save_changes(): void {}

  send(message: unknown): void {
    const kernel = this.session.session?.kernel;
    // A kernel that goes away meanwhile leaves nothing to be done: the next one has no such widget.
    if (kernel) sendBeside(kernel, this.comm, message as FromPanel).catch(() => {});
  }

  on(event: string, hear: (...args: never[]) => void): void {
    if (event !== "msg:custom") return;
    const listen = (_: unknown, message: KernelMessage.IMessage): void => {
      const custom = customHeard(message, this.comm);
      if (custom !== undefined) (hear as Hear)(custom as FromKernel, (message.buffers ?? []).map(bytes));
    };
    this.#hearing.set(hear, listen);
    this.session.iopubMessage.connect(listen);
  }

  off(_: string, hear: (...args: never[]) => void): void {
    const listen = this.#hearing.get(hear);
    if (listen) this.session.iopubMessage.disconnect(listen);
    this.#hearing.delete(hear);
  }
}

function bytes(buffer: ArrayBuffer | ArrayBufferView): DataView {
  if (buffer instanceof ArrayBuffer) return new DataView(buffer);
  return new DataView(buffer.buffer as ArrayBuffer, buffer.byteOffset, buffer.byteLength);
}
