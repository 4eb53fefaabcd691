import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";

const sources = (folder: string): string[] =>
  readdirSync(new URL(`../src/${folder}`, import.meta.url), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .map((name) => `${folder}/${name}`);
const text = (name: string): string => readFileSync(new URL(`../src/${name}`, import.meta.url), "utf8");

test("what draws knows neither anywidget nor Jupyter, so that it runs in any page", () => {
  const files = [...sources("ui"), ...sources("panels")];
  expect(files.length).toBeGreaterThan(20);
  for (const file of files)
    expect([file, /from "(@anywidget|@jupyterlab|@lumino)/.test(text(file))]).toEqual([file, false]);
});

test("no panel file outgrows 250 lines", () => {
  for (const file of sources("panels")) expect([file, text(file).split("\n").length <= 251]).toEqual([file, true]);
});

test("nothing is fetched and no markup is made of strings: names come from other people's trails", () => {
  for (const file of [...sources("ui"), ...sources("panels")]) {
    const code = text(file).replaceAll("http://www.w3.org/2000/svg", "");
    expect([file, /https?:\/\/|innerHTML|insertAdjacentHTML|\bimport\(/.test(code)]).toEqual([file, false]);
  }
});
