import { expect, test } from "vitest";
import type { Trail } from "../src/contract.ts";
import { below, nearest } from "../src/lab/nearest.ts";

const trail = (folder: string | null): Trail => ({ id: `${folder}`, name: "t", folder, live: 0 });

test("a notebook's trail is the nearest above it, and names it from there", () => {
  const trails = [trail("."), trail("work"), trail("work/deep"), trail("wor"), trail(null)];
  expect(nearest(trails, "work/deep/er/a.ipynb")?.folder).toBe("work/deep");
  expect(nearest(trails, "works/a.ipynb")?.folder).toBe(".");
  expect(nearest([trail(null), trail("wor")], "work/a.ipynb")).toBeUndefined();
  expect(below(trail("work/deep"), "work/deep/er/a.ipynb")).toBe("er/a.ipynb");
  expect(below(trail("."), "a.ipynb")).toBe("a.ipynb");
});
