import { HEAD_HEIGHT, ROW_HEIGHT, TALLEST } from "./grid.ts";

/** How the run table looks; colours are the shared --ct-* tokens. */
export const tableStyles = `
.ct-foot { align-items: center; display: flex; flex-wrap: wrap; gap: 4px 8px; margin-top: 6px; min-height: 28px; }
.ct-copies { display: flex; gap: 8px; margin-left: auto; align-items: center; }
.ct-title { font-weight: 600; max-width: 40%; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.ct-search { flex: 0 1 320px; min-width: 170px; position: relative; }
.ct-filter {
  background: var(--ct-surface); border: 1px solid var(--ct-edge); border-radius: 4px; height: 28px; padding: 0 8px;
  width: 100%;
}
.ct-filter::placeholder { color: var(--ct-muted); opacity: 1; }
.ct .ct-filter:focus-visible { border-color: var(--ct-accent); outline: 1px solid var(--ct-accent); outline-offset: 0; }
.ct-search[aria-busy]::after {
  color: var(--ct-muted); content: "asking…"; font-size: 12px; inset: 5px 8px auto auto; background: var(--ct-surface);
  pointer-events: none; position: absolute;
}
.ct-fault {
  background: var(--ct-surface); border: 1px solid var(--ct-edge); border-radius: 4px; box-shadow: 0 2px 8px rgb(0 0 0 / 18%);
  color: var(--ct-ink); font: 12px/1.4 var(--ct-mono); inset: calc(100% + 4px) auto auto 0; margin: 0; max-width: min(640px, 92vw);
  overflow-x: auto; padding: 6px 10px; position: absolute; white-space: pre; width: max-content; z-index: 5;
}
.ct-fault:empty { display: none; }
.ct .ct-fault.ct-error { border-left: 3px solid var(--ct-failed); color: var(--ct-ink); }
.ct-grid {
  --ct-muted: color-mix(in srgb, var(--ct-ink) 72%, transparent);
  background: var(--ct-surface); border: 1px solid var(--ct-line); border-radius: 4px; contain: layout paint;
  max-height: ${TALLEST}; overflow: auto; overscroll-behavior-x: contain; position: relative;
}
.ct-headgroup { position: sticky; top: 0; width: max-content; min-width: 100%; z-index: 3; }
.ct-body { min-width: 100%; overflow: clip; position: relative; }
.ct-row { display: flex; height: ${ROW_HEIGHT}px; min-width: 100%; position: absolute; width: 100%; }
.ct-head { height: ${HEAD_HEIGHT}px; position: relative; }
.ct-cell {
  align-items: center; background: var(--ct-row); border-bottom: 1px solid var(--ct-line); display: flex; flex: none; gap: 6px;
  height: 100%; overflow: hidden; padding: 0 10px; position: absolute; white-space: nowrap;
}
.ct-row { --ct-row: var(--ct-surface); background: var(--ct-row); border-bottom: 1px solid var(--ct-line); }
.ct-row .ct-cell { border-bottom: 0; }
.ct-row:hover { --ct-row: color-mix(in srgb, var(--ct-hover) 60%, var(--ct-surface)); }
.ct-row[aria-selected="true"] { --ct-row: color-mix(in srgb, var(--ct-accent) 14%, var(--ct-surface)); }
.ct .ct-head { --ct-row: var(--ct-headground); border-bottom-color: var(--ct-edge); }
.ct-cell.ct-pinned { position: sticky; z-index: 2; }
.ct-cell.ct-lastpinned { border-right: 1px solid var(--ct-line); }
.ct-row.ct-sticks { border-bottom-color: var(--ct-edge); position: sticky; z-index: 3; }
.ct-row[data-mark="group"] { --ct-row: color-mix(in srgb, var(--ct-hover) 55%, var(--ct-surface)); font-weight: 600; }
.ct-row[data-mark="group"] .ct-cell[role="rowheader"] { cursor: pointer; }
.ct-twisty { color: var(--ct-muted); flex: none; width: 10px; }
.ct-indent { flex: none; width: 10px; }
.ct-star { color: var(--ct-accent); flex: none; margin-right: 4px; }
.ct-fresh button { border-color: var(--ct-accent); }
.ct-isbase { background: transparent; border: 1px solid var(--ct-edge); line-height: 16px; }
.ct-departs .ct-text { text-decoration: underline dotted var(--ct-accent) 2px; text-underline-offset: 3px; }
.ct-delta { color: var(--ct-muted); flex: none; font-size: 11px; }
.ct-delta[data-verdict="better"] { color: var(--ct-better); }
.ct-delta[data-verdict="worse"] { color: var(--ct-worse); }
.ct .ct-cell:focus-visible { border-radius: 0; outline: 2px solid var(--ct-accent); outline-offset: -2px; }
.ct-right { justify-content: flex-end; text-align: end; }
.ct-cell[role="rowheader"] { font-weight: 500; }
.ct-probe { position: absolute; visibility: hidden; white-space: nowrap; }
.ct-text { overflow: hidden; text-overflow: ellipsis; }
.ct-head .ct-cell { cursor: pointer; flex-direction: column; gap: 0; align-items: flex-start; justify-content: center; display: flex; line-height: 1.25; user-select: none; }
.ct-head .ct-right { align-items: flex-end; }
.ct-caption { color: var(--ct-muted); font-size: 11px; height: 14px; max-width: 100%; overflow: hidden; text-overflow: ellipsis; }
.ct-caption:empty { display: none; }
.ct-heading { font-weight: 600; max-width: 100%; overflow: hidden; text-overflow: ellipsis; }
.ct-cell[aria-sort="ascending"] .ct-heading::after { content: " ▲"; }
.ct-cell[aria-sort="descending"] .ct-heading::after { content: " ▼"; }
.ct-cell[aria-sort] .ct-heading::after { color: var(--ct-accent); font-size: 9px; }
.ct-cell[data-place]:not([data-place=""])::after { color: var(--ct-accent); content: attr(data-place); font-size: 9px; position: absolute; right: 2px; top: 3px; }
.ct-grip { bottom: 6px; cursor: col-resize; position: absolute; right: 0; top: 6px; width: 7px; }
.ct-head .ct-cell:hover .ct-grip { border-right: 2px solid var(--ct-edge); }
.ct-more { background: var(--ct-row); border-radius: 3px; color: var(--ct-muted); opacity: 0; padding: 0 4px; position: absolute; right: 8px; top: 2px; }
.ct-head .ct-right .ct-more { left: 4px; right: auto; }
.ct-head .ct-cell:hover .ct-more, .ct-head .ct-cell:focus-visible .ct-more { opacity: 1; }
.ct-more:hover { background: var(--ct-hover); }
.ct-cell[data-carried] { opacity: 0.55; }
.ct-cell[data-drop="before"] { box-shadow: inset 3px 0 0 var(--ct-accent); }
.ct-cell[data-drop="after"] { box-shadow: inset -3px 0 0 var(--ct-accent); }
.ct-form { min-width: 260px; padding: 8px; }
.ct-field {
  background: var(--ct-surface); border: 1px solid var(--ct-edge); border-radius: 4px; color: inherit; font: inherit; margin: 0 0 6px;
  padding: 4px 8px; width: 100%;
}
.ct-wideform { max-width: none; width: min(620px, 94vw); }
.ct-choice { display: grid; gap: 2px; }
.ct-choice select { color-scheme: inherit; }
.ct-choice option { background: var(--ct-surface); color: var(--ct-ink); }
.ct-written { border: 1px solid var(--ct-line); border-radius: 4px; font: 12px/1.4 var(--ct-mono); margin: 6px 0; max-height: 180px; min-height: 110px; overflow: auto; padding: 6px 8px; }
.ct-choices { display: grid; gap: 2px; margin: 6px 2px; max-height: 260px; min-width: 220px; overflow: auto; padding: 2px 4px; }
.ct-choices .ct-toggle span { overflow: hidden; text-overflow: ellipsis; }
.ct-formfoot { align-items: center; border-top: 1px solid var(--ct-line); display: flex; flex-wrap: wrap; gap: 6px; padding-top: 6px; }
.ct-told { flex: 1 0 100%; font-size: 12px; margin: 0 2px; }
.ct-tools { display: flex; flex-wrap: wrap; gap: 6px; }
.ct-cell[data-column="select"] { justify-content: center; padding: 0; cursor: pointer; align-items: center; }
.ct-box { border: 1.5px solid var(--ct-muted); border-radius: 3px; flex: none; height: 14px; width: 14px; }
.ct-row[aria-selected="true"] .ct-box {
  background: var(--ct-accent); border-color: var(--ct-accent); position: relative;
}
.ct-row[aria-selected="true"] .ct-box::after {
  border: solid var(--ct-surface); border-width: 0 2px 2px 0; content: ""; height: 8px; left: 3.5px; position: absolute; top: .5px;
  transform: rotate(45deg); width: 4.5px;
}
.ct-nothing { color: var(--ct-muted); }
.ct-cell strong { font-weight: 700; }
.ct-short { color: var(--ct-muted); overflow: hidden; text-overflow: ellipsis; }
.ct-tag { background: var(--ct-hover); border-radius: 9px; flex: none; font-size: 12px; line-height: 18px; padding: 0 7px; }
.ct-cell[data-column="tags"] { gap: 4px; }
.ct-spark { color: var(--ct-accent); flex: none; height: 18px; margin-right: auto; width: 56px; }
.ct-spark path { fill: none; stroke: currentColor; stroke-linecap: round; stroke-linejoin: round; stroke-width: 1.4; }
.ct-message { border: 1px dashed var(--ct-edge); border-radius: 4px; color: var(--ct-muted); padding: 14px 16px; }
.ct-message code { color: var(--ct-ink); font-family: var(--ct-mono); font-size: 12px; }
.ct-gridbox { position: relative; }
.ct-message.ct-none { border: 0; left: 2px; padding: 4px 12px; position: absolute; top: ${HEAD_HEIGHT}px; }
.ct-search:has(.ct-proposals) .ct-fault { display: none; }
.ct .ct-choice:has(:focus-visible) { outline: none; }
.ct-beside { border-top: 1px solid var(--ct-line); margin-top: 10px; padding-top: 8px; }
.ct-beside:empty { display: none; }
.ct-sub { align-items: center; display: flex; gap: 12px; margin-bottom: 4px; }
.ct-subhead { font-weight: 600; }
`;
