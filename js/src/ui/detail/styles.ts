/** How all of a run looks. */
export const detailStyles = `
:host([data-below]) .ct-head { display: none; }
.ct-head { align-items: baseline; display: flex; flex-wrap: wrap; gap: 2px 12px; }
.ct .ct-head h2 { font-size: 14px; font-weight: 600; margin: 0; overflow-wrap: anywhere; }
.ct-tag { background: var(--ct-hover); border-radius: 9px; font-size: 12px; padding: 0 8px; }
.ct-complete { border: 1px solid var(--ct-finished); border-radius: 9px; color: var(--ct-finished); font-size: 12px; padding: 0 8px; }
.ct-complete[data-lacks] { border-color: var(--ct-interrupted); border-style: dashed; color: var(--ct-interrupted); }
.ct .ct-thread { list-style: none; margin: 0; max-width: 720px; padding: 0; }
.ct-thread li { border-inline-start: 3px solid var(--ct-line); margin: 0 0 10px; padding-inline-start: 9px; }
.ct-thread p { margin: 0; }
.ct-said-by { font-size: 12px; }
.ct-said { overflow-wrap: anywhere; white-space: pre-wrap; }
.ct-saying { align-items: end; display: flex; flex-wrap: wrap; gap: 6px 8px; max-width: 720px; }
.ct-saying textarea { background: transparent; border: 1px solid var(--ct-line); border-radius: 4px; color: inherit; flex: 1 1 320px; font: inherit; padding: 4px 6px; resize: vertical; }
.ct-saying .ct-error { flex: 1 0 100%; }
.ct-why { font: 12px/1.4 var(--ct-mono); margin: 2px 0 0; overflow-wrap: anywhere; }
.ct-noted { border-inline-start: 3px solid var(--ct-line); margin: 4px 0 0; padding-inline-start: 8px; white-space: pre-wrap; }
.ct-replays { align-items: center; display: flex; flex-wrap: wrap; gap: 4px 10px; margin-top: 6px; }
.ct-replays progress { accent-color: var(--ct-accent); height: 8px; width: 140px; }
.ct-replays code { max-width: 420px; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.ct-replayed { border-inline-start: 3px solid var(--ct-line); margin-top: 6px; padding: 1px 0 1px 9px; }
.ct-replayed[data-verdict="reproduced"] { border-color: var(--ct-finished); }
.ct-replayed[data-verdict="within-tolerance"] { border-color: var(--ct-interrupted); }
.ct-replayed[data-verdict="drifted"] { border-color: var(--ct-failed); }
.ct-replayed p { margin: 0; overflow-wrap: anywhere; }
.ct-verdict-line strong { font-weight: 600; margin-inline-end: 10px; }
.ct-replayed ul { margin: 2px 0 0; padding-inline-start: 20px; }
.ct-tabs { border-bottom: 1px solid var(--ct-line); display: flex; flex-wrap: wrap; gap: 0 2px; margin-top: 8px; }
.ct-tabs button { background: none; border: 0; border-bottom: 2px solid transparent; cursor: pointer; margin-bottom: -1px; padding: 4px 10px; }
.ct-tabs button:hover { background: var(--ct-hover); }
.ct-tabs button[aria-selected="true"] { border-bottom-color: var(--ct-accent); font-weight: 600; }
.ct-hint { font-weight: 600; margin: 4px 0 0; }
.ct-tabs .ct-muted { font-weight: 400; }
.ct-sheet { max-height: var(--celltrail-sheet, 560px); overflow: auto; padding: 8px 0 2px; }
.ct-sections { columns: 420px; column-gap: 32px; }
.ct-sections section { break-inside: avoid-column; padding: 0 0 14px; }
.ct-sections section:has(.ct-wide), .ct-sections section:has(tr:nth-child(25)) { column-span: all; }
.ct-sections section:has(tr:nth-child(25)):not(:has(.ct-wide)) { columns: 300px; column-gap: 24px; }
.ct-sections section:has(tr:nth-child(25)) > :is(h3, p) { column-span: all; }
.ct .ct-sections h3 { font-size: 13px; font-weight: 600; margin: 0 0 3px; }
.ct-sections p { font-size: 12px; margin: 3px 0 0; }
.ct .ct-list { min-width: min(100%, 320px); }
.ct .ct-list th, .ct .ct-list td { border-bottom: 1px solid color-mix(in srgb, var(--ct-line) 60%, transparent); padding: 2px 16px 2px 0; vertical-align: top; }
.ct-list td { max-width: 460px; overflow-wrap: anywhere; }
.ct-list tbody th { color: color-mix(in srgb, var(--ct-ink) 72%, transparent); max-width: 320px; min-width: 110px; overflow-wrap: anywhere; }
.ct-list thead th { color: var(--ct-muted); font-size: 12px; }
.ct-text, .ct-source { font: 12px/1.5 var(--ct-mono); margin: 0; white-space: pre-wrap; overflow-wrap: anywhere; }
.ct-source { background: color-mix(in srgb, var(--ct-hover) 40%, var(--ct-surface)); border: 1px solid var(--ct-line); border-radius: 4px; display: grid; grid-template-columns: auto 1fr; padding: 6px 10px 6px 0; white-space: pre-wrap; }
.ct-source span { color: var(--ct-muted); min-width: 40px; padding-inline: 8px 12px; text-align: end; user-select: none; }
.ct-bad { background: color-mix(in srgb, var(--ct-failed) 12%, transparent); padding: 4px 8px; }
.ct .ct-executions h3 { font-size: 13px; font-weight: 600; margin: 0 0 3px; }
.ct-executions p { font-size: 12px; margin: 3px 0; }
.ct-mapbox { margin: 6px 0 16px; position: relative; }
.ct-arcs { inset: 0 auto auto 0; pointer-events: none; position: absolute; }
.ct-arcs path { fill: none; stroke: var(--ct-muted); stroke-opacity: 0.45; stroke-width: 1.2; }
.ct-arcs path.lit { stroke: var(--ct-accent); stroke-opacity: 1; stroke-width: 2; }
.ct-arcs circle { fill: var(--ct-muted); }
.ct-arcs circle.other { fill: var(--ct-surface); stroke: var(--ct-muted); stroke-opacity: 0.6; }
.ct-arcs circle.run { fill: var(--ct-accent); }
.ct .ct-map { list-style: none; margin: 0; padding: 0 0 0 76px; }
.ct-map li { border-radius: 4px; }
.ct-map li:hover { background: color-mix(in srgb, var(--ct-hover) 60%, transparent); }
.ct-map summary { align-items: baseline; cursor: pointer; display: flex; gap: 10px; line-height: 22px; list-style: none; min-width: 0; padding-inline: 4px; }
.ct-map summary::-webkit-details-marker { display: none; }
.ct-map-count { color: var(--ct-muted); flex: none; font: 12px/22px var(--ct-mono); min-width: 34px; text-align: end; }
.ct-map-first { flex: 0 1 auto; font: 12px/22px var(--ct-mono); min-width: 80px; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.ct-map li[data-role="other"] .ct-map-first { color: var(--ct-muted); }
.ct-map li[data-role="run"] .ct-map-first { font-weight: 600; }
.ct-map summary span { flex: none; font-size: 12px; }
.ct-map-run { background: var(--ct-hover); border-radius: 9px; padding: 0 8px; }
.ct-map-stale { border: 1px dashed var(--ct-interrupted); border-radius: 9px; color: var(--ct-interrupted); line-height: 16px; padding: 0 8px; }
.ct-map-bad { color: var(--ct-failed); }
.ct-map summary .ct-map-what { flex: 1 1 0; min-width: 0; overflow: hidden; text-align: end; text-overflow: ellipsis; white-space: nowrap; }
.ct-map-code { background: color-mix(in srgb, var(--ct-hover) 40%, var(--ct-surface)); border: 1px solid var(--ct-line); border-radius: 4px; margin: 2px 4px 6px 48px; padding: 6px 10px; }
.ct-restore { align-items: center; display: flex; gap: 8px; }
.ct-executions > .ct-restore { margin: -6px 0 18px; }
.ct-map details p { margin: 0 4px 2px 48px; }
.ct-outputs > div { margin: 0 0 6px; }
.ct-outputs img { background: #fff; display: block; max-width: 100%; }
.ct-outputs p { font-size: 12px; margin: 2px 0 0; }
`;
