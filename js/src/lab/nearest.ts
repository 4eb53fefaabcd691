import type { Trail } from "../contract.ts";

/** The trail whose folder is the nearest above the notebook. */
export function nearest(trails: readonly Trail[], path: string): Trail | undefined {
  const above = trails.filter(({ folder }) => folder !== null && isAbove(folder, path));
  return above.sort((a, b) => (b.folder?.length ?? 0) - (a.folder?.length ?? 0))[0];
}

function isAbove(folder: string, path: string): boolean {
  return folder === "." || folder === "" || path.startsWith(`${folder}/`);
}

/** The notebook as the runs of this trail name it. */
export function below({ folder }: Trail, path: string): string {
  return folder === null || folder === "." || folder === "" ? path : path.slice(folder.length + 1);
}
