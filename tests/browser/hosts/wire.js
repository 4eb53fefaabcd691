/** The comms of a kernel as `@jupyterlab/services` has them, over `send(message)`; `hear` takes what came from it. */
export function connection(send) {
  const comms = new Map();
  const targets = new Map();
  const futures = new Map();
  const signal = () => ({ connect: () => true, disconnect: () => true });
  let sent = 0;

  const tell = (type, content, metadata = {}) => {
    const id = `page-${++sent}`;
    const future = { msg: { header: { msg_id: id } }, onReply() {}, onIOPub() {}, onStdin() {}, dispose() {} };
    futures.set(id, future);
    send({ id, type, content, metadata });
    return future;
  };
  const made = (commId, targetName) => {
    const comm = {
      commId,
      targetName,
      isDisposed: false,
      onMsg() {},
      onClose() {},
      open: (data, metadata) => tell("comm_open", { comm_id: commId, target_name: targetName, data }, metadata),
      send: (data, metadata) => tell("comm_msg", { comm_id: commId, data }, metadata),
      close: (data, metadata) => tell("comm_close", { comm_id: commId, data: data ?? {} }, metadata),
      dispose() {},
    };
    comms.set(commId, comm);
    return comm;
  };

  return {
    id: "kernel",
    name: "python3",
    clientId: "page",
    username: "someone",
    status: "idle",
    connectionStatus: "connected",
    handleComms: true,
    isDisposed: false,
    model: { id: "kernel", name: "python3" },
    serverSettings: {},
    statusChanged: signal(),
    connectionStatusChanged: signal(),
    iopubMessage: signal(),
    unhandledMessage: signal(),
    anyMessage: signal(),
    pendingInput: signal(),
    disposed: signal(),
    hasComm: (id) => comms.has(id),
    createComm: (target, id) => made(id ?? `comm-${++sent}`, target),
    registerCommTarget: (name, open) => targets.set(name, open),
    removeCommTarget: (name, open) => targets.get(name) === open && targets.delete(name),
    registerMessageHook() {},
    removeMessageHook() {},
    requestCommInfo: async () => ({ content: { status: "ok", comms: {} } }),
    async hear(message) {
      const { type, content, parent_header: parent } = message;
      if (type === "comm_open") await targets.get(content.target_name)?.(made(content.comm_id, content.target_name), message);
      else if (type === "comm_msg") await comms.get(content.comm_id)?.onMsg(message);
      else if (type === "comm_close") await comms.get(content.comm_id)?.onClose(message);
      else if (type === "status") futures.get(parent.msg_id)?.onIOPub(message);
    },
  };
}

/** A message of Python's, its buffers as the bytes that they are. */
export function decoded(message) {
  const buffers = message.buffers.map((text) => {
    const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
    return new DataView(bytes.buffer);
  });
  return { ...message, buffers, header: { msg_type: message.type, msg_id: message.id } };
}
