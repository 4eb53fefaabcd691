import type { Answer, Fault, Steer } from "./contract.ts";

interface Page {
  baseUrl?: string;
  token?: string;
}

/**
 * A wish for a run by way of the Jupyter server that the page is from: it is left in the trail, where the run's own
 * process finds it while a cell keeps the kernel busy. Rejects where the page is from no such server.
 */
export async function steerByServer(trail: string, intent: Steer): Promise<Answer> {
  const { baseUrl, token } = JSON.parse(document.getElementById("jupyter-config-data")?.textContent || "{}") as Page;
  if (!baseUrl || !trail) throw new Error("this page has no Jupyter server");
  const headers = new Headers({ "Content-Type": "application/json" });
  if (token) headers.set("Authorization", `token ${token}`);
  const xsrf = /(?:^|; )_xsrf=([^;]*)/.exec(document.cookie)?.[1];
  if (xsrf) headers.set("X-XSRFToken", decodeURIComponent(xsrf));
  const body = JSON.stringify(intent);
  const reply = await fetch(`${baseUrl}celltrail/trails/${trail}/intents`, { method: "POST", headers, body });
  if (!reply.headers.get("Content-Type")?.includes("json")) throw new Error("this Jupyter server has no celltrail");
  const said = (await reply.json()) as Answer | Fault;
  if (said.kind !== "answer") throw new Error(said.text ?? "this Jupyter server has no celltrail");
  return said;
}
