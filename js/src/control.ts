import type { Answer, Fault, Steer } from "./contract.ts";
import { request } from "./request.ts";

/**
 * A wish for a run by way of the Jupyter server that the page is from: it is left in the trail, where the run's own
 * process finds it while a cell keeps the kernel busy. Rejects where the page is from no such server.
 */
export async function steerByServer(trail: string, intent: Steer): Promise<Answer> {
  if (!trail) throw new Error("this run is in no trail");
  const reply = await request(`trails/${trail}/intents`, { method: "POST", body: JSON.stringify(intent) });
  if (!reply.headers.get("Content-Type")?.includes("json")) throw new Error("this Jupyter server has no celltrail");
  const said = (await reply.json()) as Answer | Fault;
  if (said.kind !== "answer") throw new Error(said.text ?? "this Jupyter server has no celltrail");
  return said;
}
