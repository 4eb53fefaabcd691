/** What a canvas must be told, because CSS does not reach into it. */
export interface Theme {
  dark: boolean;
  ink: string;
  muted: string;
  line: string;
  surface: string;
  bad: string;
  warn: string;
  accent: string;
  font: string;
  palette: readonly string[];
}

/** Okabe-Ito, each hue shifted until it has 3:1 against the ground it is drawn on. */
export const PALETTE = {
  light: ["#0072b2", "#d55e00", "#008a64", "#b5588f", "#a87500", "#3d93c8", "#847a00", "#5f5f5f"],
  dark: ["#4ca3e0", "#ff7f3f", "#22c498", "#e59dc8", "#f0ac1e", "#8fd0f5", "#efe34a", "#c6c6c6"],
} as const;

/** Of the palette, from the first: no two of these resemble each other. */
const DISTINCT = 4;

/** Dashes tell apart what shares a colour; the first is a plain line. */
export const DASHES: readonly (readonly number[])[] = [[], [6, 4], [2, 3], [9, 3, 2, 3]];

/** The palette index of each run: from its id, so that a run keeps its colour from panel to panel while it is free. */
export function runColours(runs: readonly string[]): Map<string, number> {
  const hues = PALETTE.light.length;
  const taken = new Set<number>();
  const colours = new Map<string, number>();
  for (const run of runs) {
    if (colours.has(run)) continue;
    if (taken.size === hues) taken.clear();
    let index = hash(run) % DISTINCT;
    // The hues that resemble another come when the distinct ones are used up.
    while (taken.has(index)) index = (index + 1) % (taken.size < DISTINCT ? DISTINCT : hues);
    taken.add(index);
    colours.set(run, index);
  }
  return colours;
}

/** The colour of this index; the palette begins again where it ends. */
export function paint(theme: Theme, index: number): string {
  return theme.palette[index % theme.palette.length] ?? theme.ink;
}

function hash(text: string): number {
  let sum = 2166136261;
  for (let i = 0; i < text.length; i++) sum = Math.imul(sum ^ text.charCodeAt(i), 16777619) >>> 0;
  return sum;
}

/** Whether the host is dark: Jupyter, VS Code and Colab say so; elsewhere the first opaque background decides. */
export function isDark(el: Element): boolean {
  const { body, documentElement } = document;
  const jupyter = body.dataset.jpThemeLight;
  if (jupyter !== undefined) return jupyter === "false";
  const kind = body.dataset.vscodeThemeKind ?? "";
  if (kind) return kind.includes("dark") || kind === "vscode-high-contrast";
  const colab = documentElement.getAttribute("theme");
  if (colab) return colab === "dark";
  const ground = groundOf(el);
  if (!ground) return matchMedia("(prefers-color-scheme: dark)").matches;
  const [red = 0, green = 0, blue = 0] = numbers(ground);
  return 0.299 * red + 0.587 * green + 0.114 * blue < 128;
}

/** The background that this stands on; none where nothing has one. */
function groundOf(el: Element): string | undefined {
  for (let at: Element | null = el; at; at = at.parentElement ?? hostOf(at)) {
    const { backgroundColor } = getComputedStyle(at);
    if ((numbers(backgroundColor)[3] ?? 1) > 0.5) return backgroundColor;
  }
  return undefined;
}

/** A panel within a panel goes on in the page around that. */
function hostOf(el: Element): Element | null {
  const root = el.getRootNode();
  return root instanceof ShadowRoot ? root.host : null;
}

function numbers(colour: string): number[] {
  return (colour.match(/[\d.]+/g) ?? ["0", "0", "0", "0"]).map(Number);
}

/** The colours as they are now; `root` is the panel's element inside its shadow root. */
export function readTheme(root: HTMLElement): Theme {
  const style = getComputedStyle(root);
  const token = (name: string): string => style.getPropertyValue(`--ct-${name}`).trim();
  const dark = root.dataset.theme === "dark";
  return {
    dark,
    ink: token("ink"),
    muted: token("muted"),
    line: token("line"),
    surface: token("surface"),
    bad: token("failed"),
    warn: PALETTE[dark ? "dark" : "light"][1],
    accent: token("accent"),
    font: style.fontFamily,
    palette: dark ? PALETTE.dark : PALETTE.light,
  };
}

const MARKS = ["class", "data-jp-theme-light", "data-jp-theme-name", "data-vscode-theme-kind", "theme"];
const SETTLE_MS = 250;

/** Keeps `root.dataset.theme` right and says when any colour changed. */
export function watchTheme(host: Element, root: HTMLElement, hear: (theme: Theme) => void, signal: AbortSignal): void {
  let known = "";
  const read = (): void => {
    root.dataset.theme = isDark(host) ? "dark" : "light";
    const jupyter = document.body.dataset.jpThemeLight !== undefined;
    root.toggleAttribute("data-jupyter", jupyter);
    // What is drawn over other things has the colour of the page, which only Jupyter has a name for.
    if (!jupyter) root.style.setProperty("--ct-surface", groundOf(host) ?? "");
    const theme = readTheme(root);
    const seen = JSON.stringify(theme);
    if (seen === known) return;
    known = seen;
    hear(theme);
  };
  let timer: ReturnType<typeof setTimeout> | undefined;
  const changed = (): void => {
    read();
    // The attribute may change before the new style sheet is in.
    clearTimeout(timer);
    timer = setTimeout(read, SETTLE_MS);
  };
  const observer = new MutationObserver(changed);
  for (const el of [document.body, document.documentElement]) {
    observer.observe(el, { attributes: true, attributeFilter: MARKS });
  }
  // A panel may be drawn before it is in the page, where there is no colour yet to be read.
  const placed = new ResizeObserver(read);
  placed.observe(root);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", changed, { signal });
  signal.addEventListener("abort", () => {
    clearTimeout(timer);
    observer.disconnect();
    placed.disconnect();
  });
  read();
}
