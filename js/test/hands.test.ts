// @vitest-environment jsdom
import { beforeEach, expect, test, vi } from "vitest";
import type { Answer, Knob, RunState, Steer } from "../src/contract.ts";
import type { Asked } from "../src/source.ts";
import { Hands, type Sent, standingOf, whyNot } from "../src/ui/hands.ts";
import { KnobControl, shareOf, valueAt } from "../src/ui/knob.ts";
import { state } from "./rows.ts";

const running: RunState = state("a", { name: "base", step: 1200, seconds: 9 });
const lr: Knob = { name: "lr", value: 1e-3, wanted: null, low: 1e-5, high: 1e-1, whole: false };
const sent = (change: Partial<Sent> = {}): Sent => ({
  do: "stop",
  knob: "",
  value: null,
  seconds: 0.5,
  fault: "",
  ...change,
});
const said = {} as Answer;

beforeEach(() => document.body.replaceChildren());

function stand(steer?: (asked: Asked<Steer>) => Promise<Answer>): { hands: Hands; press(name: string): void } {
  const note = (): Promise<never> => Promise.reject(new Error("not asked"));
  const hands = new Hands({ steer, note }, () => {}, new AbortController().signal);
  document.body.append(hands.el);
  const press = (name: string): void =>
    [...hands.el.querySelectorAll("button")].find(({ textContent }) => textContent === name)?.click();
  return { hands, press };
}

test("what a click has come to is said, and why it waits", () => {
  const asked = { ...running, asked_to: "stop" } as const;
  expect(standingOf(running, undefined)).toBe("");
  expect(standingOf(running, sent())).toBe("stop: sent");
  expect(standingOf(running, sent({ seconds: 3 }))).toMatch(/^waiting: the kernel is busy/);
  expect(standingOf(asked, sent())).toBe("asked to stop at the next ct.log()");
  expect(whyNot(asked, 0.1)).toBe("");
  expect(whyNot(asked, 12)).toMatch(/no step for 12 s: the stop button of Jupyter interrupts/);
  expect(standingOf({ ...running, paused: true, asked_to: "pause" }, sent())).toBe("paused at step 1,200");
  expect(standingOf(running, sent({ do: "resume", seconds: 9 }))).toBe("");
  expect(standingOf(running, sent({ fault: "lr takes 1e-05 to 0.1" }))).toBe("lr takes 1e-05 to 0.1");
});

test("buttons ask every run that goes on, and are there only while one does and can be asked", async () => {
  const steer = vi.fn(() => Promise.resolve(said));
  const { hands, press } = stand(steer);
  expect(hands.el.hidden).toBe(true);
  hands.show([{ ...running, run: "z", status: "finished" }, running, { ...running, run: "b" }]);
  expect(hands.el.hidden).toBe(false);
  press("stop");
  expect(steer.mock.calls).toEqual(["a", "b"].map((run) => [{ run, do: "stop", knob: "", value: null }]));
  hands.show([{ ...running, asked_to: "pause", paused: true }]);
  press("resume");
  expect(steer).toHaveBeenLastCalledWith({ run: "a", do: "resume", knob: "", value: null });
  hands.show([{ ...running, status: "finished" }]);
  expect(hands.el.hidden).toBe(true);
  const { hands: unasked } = stand();
  unasked.show([running]);
  expect(unasked.el.hidden).toBe(true);
});

test("a refusal is said in the words of the kernel", async () => {
  const { hands, press } = stand(() => Promise.reject(new Error("base has already finished")));
  hands.show([running]);
  press("stop");
  await Promise.resolve();
  await vi.waitFor(() => expect(hands.el.textContent).toContain("base has already finished"));
});

test("a knob is turned by its box and its slider, over decades on a logarithmic scale", () => {
  const turned = vi.fn();
  const control = new KnobControl(lr, turned, new AbortController().signal);
  control.show(lr);
  const [slider, box] = control.el.querySelectorAll("input");
  expect([slider?.value, box?.value]).toEqual(["100", "0.001"]);
  if (!slider || !box) throw new Error("no slider, or no box");
  slider.value = "150";
  slider.dispatchEvent(new Event("change"));
  expect(turned).toHaveBeenLastCalledWith(0.01);
  box.value = "0.02";
  box.dispatchEvent(new Event("change"));
  expect(turned).toHaveBeenLastCalledWith(0.02);
  control.show({ ...lr, wanted: 0.02 });
  expect(control.el.textContent).toContain("when the cell asks for it");
  control.show({ ...lr, value: 0.02 });
  expect(control.el.textContent).not.toContain("when");
  const whole = { ...lr, name: "n", low: 1, high: 5, whole: true };
  expect([valueAt(whole, 0.5), shareOf(whole, 5)]).toEqual([3, 1]);
});
