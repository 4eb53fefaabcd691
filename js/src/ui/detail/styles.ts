/** How all of a run looks. */
export const detailStyles = `
.ct-head { align-items: baseline; display: flex; flex-wrap: wrap; gap: 2px 12px; }
.ct .ct-head h2 { font-size: 14px; font-weight: 600; margin: 0; overflow-wrap: anywhere; }
.ct-tag { background: var(--ct-hover); border-radius: 9px; font-size: 12px; padding: 0 8px; }
.ct-why { font: 12px/1.4 var(--ct-mono); margin: 2px 0 0; overflow-wrap: anywhere; }
.ct-noted { border-inline-start: 3px solid var(--ct-line); margin: 4px 0 0; padding-inline-start: 8px; white-space: pre-wrap; }
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
.ct-outputs > div { margin: 0 0 6px; }
.ct-outputs img { background: #fff; display: block; max-width: 100%; }
.ct-outputs p { font-size: 12px; margin: 2px 0 0; }
`;
