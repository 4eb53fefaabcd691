/** The side bar's list of runs. */
export const runListStyles = `
:host { height: 100%; }
.ct { display: flex; flex-direction: column; gap: 6px; height: 100%; padding: 8px 0 0; }
.ct[data-jupyter] { --ct-surface: var(--jp-layout-color1); }
.ct-rl-head { display: flex; flex-direction: column; gap: 6px; padding: 0 8px; }
.ct-rl-top { align-items: center; display: flex; gap: 8px; }
.ct-rl-top select {
  background: var(--ct-surface); border: 1px solid var(--ct-edge); border-radius: 4px; color: inherit; flex: 1;
  font: inherit; min-width: 0; padding: 2px 10px 2px 4px; text-overflow: ellipsis;
}
.ct-rl-head .ct-search { flex: none; max-width: none; }
.ct-rl-head .ct-filter { width: 100%; }
.ct-rl-scroll { flex: 1; min-height: 0; overflow: auto; }
.ct .ct-rl-title {
  align-items: baseline; background: var(--ct-surface); border: 0; border-radius: 0; color: var(--ct-muted); cursor: pointer;
  display: flex; font: inherit; font-size: 11px; font-weight: 600; gap: 6px; margin: 0; padding: 4px 8px; position: sticky;
  text-align: start; top: 0; width: 100%; z-index: 1;
}
.ct-rl-title::before {
  border: 4px solid transparent; border-bottom-width: 0; border-top: 5px solid; content: ""; flex: none; margin-bottom: 2px;
}
.ct-rl-title[aria-expanded="false"]::before { transform: rotate(-90deg); }
.ct .ct-rl-title:hover { background: var(--ct-hover); color: var(--ct-ink); }
.ct .ct-rl-title:focus-visible { outline-offset: -2px; }
.ct-rl-group { flex: 1; min-width: 0; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.ct-rl-count { flex: none; font-variant-numeric: tabular-nums; font-weight: 400; }
.ct-rl-row { cursor: default; padding: 4px 8px; user-select: none; }
.ct-rl-row:hover { background: var(--ct-hover); }
.ct-rl-row[aria-selected="true"] { background: color-mix(in srgb, var(--ct-accent) 18%, var(--ct-surface)); }
.ct-rl-row[aria-selected="true"] .ct-muted { color: var(--ct-ink); }
.ct .ct-rl-row:focus-visible { outline-offset: -2px; }
.ct-rl-line { align-items: center; display: flex; gap: 6px; min-width: 0; }
.ct-rl-second { font-size: 12px; min-height: 18px; padding-inline-start: 18px; }
.ct-rl-row .ct-status { font-size: 0; gap: 0; }
.ct-rl-name { flex: 1; min-width: 0; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.ct-rl-when { flex: none; font-size: 12px; }
.ct-rl-metric, .ct-rl-tags, .ct-rl-trail { min-width: 0; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.ct-rl-metric { flex: none; max-width: 70%; }
.ct-rl-trail, .ct-rl-tags { flex: 1; }
.ct-rl-spark { color: var(--ct-accent); flex: none; margin-inline-start: auto; }
.ct-rl-spark svg { display: block; fill: none; height: 18px; stroke: currentColor; stroke-width: 1.4; width: 56px; }
.ct-rl-none { margin: 0; padding: 8px; }
.ct-rl-more { margin: 6px 8px; }
.ct-rl-foot { border-top: 1px solid var(--ct-line); display: flex; align-items: center; flex-wrap: wrap; gap: 5px; padding: 6px 8px; }
.ct-rl-foot input {
  background: var(--ct-surface); border: 1px solid var(--ct-edge); border-radius: 4px; flex: 1; min-width: 80px;
  padding: 2px 6px;
}
.ct-rl-foot .ct-button { padding: 2px 7px; }
.ct-rl-said { margin: 0; }
`;
