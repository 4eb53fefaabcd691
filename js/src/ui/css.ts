/** Styles shared by all panels. A string in a .ts file, because esbuild and rspack read .css differently. */
export const css = `
:host { display: block; }
.ct {
  --ct-ink: var(--jp-ui-font-color1, #1f2328);
  --ct-muted: var(--jp-ui-font-color2, #5f6670);
  --ct-line: var(--jp-border-color2, rgb(0 0 0 / 14%));
  --ct-surface: var(--jp-layout-color0, #ffffff);
  --ct-hover: var(--jp-layout-color2, color-mix(in srgb, var(--ct-ink) 8%, var(--ct-surface)));
  --ct-accent: var(--jp-brand-color1, #1769c0);
  --ct-running: #1769c0;
  --ct-finished: #2b7a33;
  --ct-failed: #c62828;
  --ct-interrupted: #9a5b00;
  --ct-killed: #6a6a6a;
  --ct-better: #2b7a33;
  --ct-worse: #c62828;
  --ct-mono: var(--jp-code-font-family, ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace);
  box-sizing: border-box;
  color: var(--ct-ink);
  font: 400 13px/1.45 var(--jp-ui-font-family, system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif);
  font-variant-numeric: tabular-nums;
  padding: 6px 2px 4px;
  text-align: start;
}
.ct[data-theme="dark"] {
  --ct-ink: var(--jp-ui-font-color1, #e7e9ec);
  --ct-muted: var(--jp-ui-font-color2, #a4abb5);
  --ct-line: var(--jp-border-color2, rgb(255 255 255 / 18%));
  --ct-surface: var(--jp-layout-color0, #14161a);
  --ct-accent: var(--jp-brand-color0, #7cb8f5);
  --ct-running: #6db3f2;
  --ct-finished: #7cc983;
  --ct-failed: #ff8a80;
  --ct-interrupted: #ffb74d;
  --ct-killed: #b3b3b3;
  --ct-better: #7cc983;
  --ct-worse: #ff8a80;
  color-scheme: dark;
}
/* Other hosts have Jupyter's variables in its light theme, whichever theme they have themselves. */
.ct:not([data-jupyter]) {
  --jp-ui-font-color1: var(--vscode-foreground);
  --jp-ui-font-color2: var(--vscode-descriptionForeground);
  --jp-border-color2: var(--vscode-panel-border);
  --jp-layout-color0: var(--vscode-editor-background);
  --jp-layout-color2: var(--vscode-list-hoverBackground);
  --jp-brand-color0: var(--vscode-textLink-foreground);
  --jp-brand-color1: var(--vscode-textLink-foreground);
}
.ct *, .ct *::before, .ct *::after { box-sizing: border-box; }
.ct [hidden] { display: none !important; }
.ct table { border-collapse: collapse; border-spacing: 0; margin: 0; }
.ct th, .ct td { font-weight: 400; padding: 0; text-align: start; }
.ct button, .ct input { color: inherit; font: inherit; margin: 0; }
.ct :focus { outline: none; }
.ct :focus-visible, .ct label:has(:focus-visible) { border-radius: 4px; outline: 2px solid var(--ct-accent); outline-offset: 1px; }
.ct .ct-number { text-align: end; white-space: nowrap; }
.ct-muted { color: var(--ct-muted); }
.ct-mono { font-family: var(--ct-mono); font-size: 12px; }
.ct-unseen { clip-path: inset(50%); height: 1px; overflow: hidden; position: absolute; white-space: nowrap; width: 1px; }
.ct-button {
  background: transparent; border: 1px solid var(--ct-line); border-radius: 4px; cursor: pointer; line-height: 1.3;
  padding: 2px 9px;
}
.ct-button:hover { background: var(--ct-hover); }
.ct-button:disabled { cursor: default; opacity: 0.5; }
/* The word stands on the line of its neighbours, not the foot of the sign before it. */
.ct-status { align-items: baseline; display: inline-flex; gap: 5px; vertical-align: top; white-space: nowrap; }
.ct-status svg { align-self: center; flex: none; height: 12px; stroke-linecap: round; stroke-linejoin: round; stroke-width: 1.8; width: 12px; }
@media (prefers-reduced-motion: no-preference) {
  .ct-status[data-status="running"] svg { animation: ct-breathe 1.8s ease-in-out infinite; }
  @keyframes ct-breathe { 50% { opacity: 0.35; } }
}
.ct-error { color: var(--ct-failed); }
.ct-segments { border: 1px solid var(--ct-line); border-radius: 4px; display: inline-flex; overflow: hidden; }
.ct-segments label { cursor: pointer; line-height: 1.3; padding: 2px 9px; position: relative; }
.ct-segments label:hover { background: var(--ct-hover); }
.ct-segments label:has(:checked) { background: var(--ct-hover); font-weight: 600; }
.ct-segments input { appearance: none; inset: 0; margin: 0; opacity: 0; position: absolute; }
.ct-segments label:has(:focus-visible) { outline-offset: -2px; }
@media (forced-colors: active) {
  .swatch { forced-color-adjust: none; }
  [role="tab"][aria-selected="true"], .ct-segments label:has(:checked) {
    background: Highlight; color: HighlightText; forced-color-adjust: none;
  }
}
`;
