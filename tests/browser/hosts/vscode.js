import { activate } from "/npm/ipywidgets8/dist/ipywidgets.js";
import { outputs } from "./outputs.js";
import { connection, decoded } from "./wire.js";

requirejs.config({ paths: { anywidget: "/anywidget/index" } });
activate();
vscIPyWidgets8.load();

const place = document.getElementById("outputs");
const kernel = connection((message) => toKernel(message));
const scripts = {
  widgetsRegisteredInRequireJs: new Set(["anywidget"]),
  loadWidgetScript: async () => {},
  successHandler() {},
  errorHandler: (name, module, version, problem) => console.error(`${module}.${name} ${version}`, problem),
};
const manager = new vscIPyWidgets.WidgetManager(kernel, place, scripts, () => {}, undefined);
const output = outputs(place, async (id, node) => {
  const model = await manager.get_model(id);
  const view = await manager.create_view(model, { el: node });
  await manager.display_view(undefined, view, { node });
  return () => view.luminoWidget.dispose();
});

let last = Promise.resolve();
globalThis.hear = (message) => {
  last = last.then(async () => {
    const whole = decoded(message);
    await kernel.hear(whole);
    await output(whole);
  });
};
globalThis.theme = (name) => {
  document.body.className = `vscode-${name}`;
  document.body.dataset.vscodeThemeKind = `vscode-${name}`;
};
globalThis.ready = true;
