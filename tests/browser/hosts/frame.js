import { outputs } from "./outputs.js";
import { decoded } from "./wire.js";

requirejs.config({ paths: { anywidget: "/anywidget/index" } });
const load = (name) => new Promise((found, refuse) => requirejs([name], found, refuse));
const { HTMLManager } = await load("@jupyter-widgets/html-manager");
const manager = new HTMLManager({ loader: load });
const place = document.getElementById("outputs");
const comms = new Map();
let sent = 0;

/** A channel as a frame has it: what is sent goes by the page around it, and counts as done when it was taken. */
function channel(id) {
  const hearing = { message() {}, close() {} };
  const post = (type, data) => {
    const content = JSON.parse(JSON.stringify({ comm_id: id, data: data ?? {} }));
    parent.postMessage({ id: `frame-${++sent}`, type, content, metadata: {} }, "*");
  };
  return {
    comm_id: id,
    target_name: "",
    hearing,
    on_msg: (hear) => { hearing.message = hear; },
    on_close: (hear) => { hearing.close = hear; },
    open() { throw new Error("the page around the frame opens channels"); },
    send(data, callbacks) {
      post("comm_msg", data);
      Promise.resolve().then(() => callbacks?.iopub?.status?.({ content: { execution_state: "idle" } }));
      return "";
    },
    close: (data) => post("comm_close", data),
  };
}

async function hear(message) {
  const { type, content } = message;
  // here the bytes of a message come as arrays, not as views
  const taken = { ...message, buffers: message.buffers.map((view) => new Uint8Array(view.buffer)) };
  if (type === "comm_open") {
    const made = channel(content.comm_id);
    comms.set(content.comm_id, made);
    await manager.handle_comm_open(made, message);
  } else if (type === "comm_msg") await comms.get(content.comm_id)?.hearing.message(taken);
  else if (type === "comm_close") await comms.get(content.comm_id)?.hearing.close(taken);
  else await output(message);
}

const output = outputs(place, async (id, node) => {
  const view = await manager.create_view(await manager.get_model(id));
  await manager.display_view(view, node);
  return () => view.luminoWidget.dispose();
});

let last = Promise.resolve();
addEventListener("message", ({ data }) => {
  if (data.is === "heard") last = last.then(() => hear(decoded(data.message)));
  else if (data.is === "theme") document.documentElement.setAttribute("theme", data.name);
});

/** The widgets as a saved notebook holds them, with no kernel. */
globalThis.restore = async (state) => {
  for (const model of await manager.set_state(state)) {
    if (model.get("_view_name") !== "AnyView") continue;
    const node = document.createElement("div");
    place.append(node);
    await manager.display_view(manager.create_view(model), node);
  }
};
if (parent !== window) parent.postMessage({ is: "ready" }, "*");
