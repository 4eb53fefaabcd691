import { type Kernel, KernelMessage } from "@jupyterlab/services";
import type { FromPanel } from "../contract.ts";

type Connection = Kernel.IKernelConnection;
type Data = KernelMessage.ICommMsgMsg["content"]["data"];

// A kernel that knows no subshells says nothing at all.
const PATIENCE_MS = 2000;

/**
 * Sends an intent to a widget by a subshell of its own, so that it is heard while a cell runs.
 *
 * Not by `requestCreateSubshell`: after a reload the page learns only from a free kernel that there are subshells.
 */
export async function sendBeside(kernel: Connection, comm: string, intent: FromPanel): Promise<void> {
  const subshell = await createSubshell(kernel);
  const message = KernelMessage.createMessage<KernelMessage.ICommMsgMsg<"shell">>({
    ...from(kernel),
    channel: "shell",
    msgType: "comm_msg",
    content: { comm_id: comm, data: { method: "custom", content: { ...intent } } as unknown as Data },
    ...(subshell === undefined ? {} : { subshellId: subshell }),
  });
  await kernel.sendShellMessage(message, false, true).done;
  if (subshell === undefined) return;
  const done = KernelMessage.createMessage<KernelMessage.IDeleteSubshellRequestMsg>({
    ...from(kernel),
    channel: "control",
    msgType: "delete_subshell_request",
    content: { subshell_id: subshell },
  });
  kernel.sendControlMessage(done, true, true);
}

async function createSubshell(kernel: Connection): Promise<string | undefined> {
  const message = KernelMessage.createMessage<KernelMessage.ICreateSubshellRequestMsg>({
    ...from(kernel),
    channel: "control",
    msgType: "create_subshell_request",
    content: {},
  });
  const asked = kernel.sendControlMessage(message, true, true);
  let timer = 0;
  const late = new Promise<undefined>((give) => {
    timer = window.setTimeout(give, PATIENCE_MS);
  });
  const reply = await Promise.race([asked.done.catch(() => undefined), late]);
  clearTimeout(timer);
  if (!reply) asked.dispose();
  return (reply?.content as Partial<KernelMessage.ICreateSubshellReplyMsg["content"]> | undefined)?.subshell_id;
}

function from(kernel: Connection): { session: string; username: string } {
  return { session: kernel.clientId, username: kernel.username };
}
