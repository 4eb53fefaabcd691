// The notebook: it alone speaks to the kernel. The outputs are in a frame of another origin, reached by messages.
const other = new URLSearchParams(location.search).get("frame");
const frame = document.createElement("iframe");
frame.title = "outputs";
frame.sandbox = "allow-downloads allow-forms allow-pointer-lock allow-popups allow-same-origin allow-scripts";
frame.src = `${other}/frame.html`;
document.body.append(frame);

addEventListener("message", ({ source, data }) => {
  if (source !== frame.contentWindow) return;
  if (data.is === "ready") globalThis.ready = true;
  else toKernel(data);
});
globalThis.hear = (message) => frame.contentWindow.postMessage({ is: "heard", message }, other);
globalThis.theme = (name) => frame.contentWindow.postMessage({ is: "theme", name }, other);
