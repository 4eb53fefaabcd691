/** How a comparison looks, alone and under the run table. */
export const comparisonStyles = `
.ct-comparison { --ct-muted: color-mix(in srgb, var(--ct-ink) 72%, transparent); }
.ct-scroll { border: 1px solid var(--ct-line); border-radius: 4px; max-height: 520px; overflow: auto; }
.ct .ct-facts { border-collapse: separate; min-width: 100%; }
.ct-facts th, .ct-facts td { background: var(--ct-surface); border-bottom: 1px solid var(--ct-line); padding: 4px 10px; vertical-align: top; }
.ct-facts tbody:last-child tr:last-child > * { border-bottom: 0; }
.ct-facts thead > tr > * { background: var(--ct-headground); border-bottom-color: var(--ct-edge); position: sticky; top: 0; z-index: 2; }
.ct-facts tr > :first-child { border-right: 1px solid var(--ct-line); left: 0; max-width: 240px; min-width: 130px; overflow-wrap: anywhere; position: sticky; width: 190px; z-index: 1; }
.ct-facts thead tr > :first-child { z-index: 3; }
.ct-facts td:not(:first-child), .ct-facts thead th { max-width: 300px; min-width: 120px; overflow-wrap: anywhere; }
.ct-facts tbody tr:not(.ct-section):hover > * { background: color-mix(in srgb, var(--ct-hover) 60%, var(--ct-surface)); }
.ct-facts tbody th { color: var(--ct-muted); }
.ct .ct-section th, .ct .ct-section td { padding-top: 10px; }
.ct .ct-section th { border-right-color: transparent; color: var(--ct-ink); font-weight: 600; white-space: nowrap; }
.ct-section th .ct-muted { font-size: 12px; font-weight: 400; white-space: pre; }
.ct-idtail { font-family: var(--ct-mono); font-size: 11px; font-weight: 400; }
.ct-runname { display: -webkit-box; font-weight: 600; -webkit-box-orient: vertical; -webkit-line-clamp: 2; overflow: hidden; }
.ct-runline { align-items: center; display: flex; font-size: 12px; gap: 8px; white-space: nowrap; }
.ct-mean { color: var(--ct-muted); font-size: 12px; white-space: nowrap; }
.ct-verdict { font-size: 12px; font-weight: 600; max-width: 260px; }
.ct-verdict[data-verdict="better"] { color: var(--ct-better); }
.ct-verdict[data-verdict="worse"] { color: var(--ct-worse); }
.ct-goal { color: var(--ct-muted); }
.ct-like { color: var(--ct-muted); }
.ct-facts strong { font-weight: 700; }
.ct-changed { margin: 0 0 8px; overflow-wrap: anywhere; }
.ct-changed summary { color: var(--ct-muted); cursor: pointer; }
.ct-changed .ct-codehead { margin-top: 0; }
.ct .ct-changed ol { margin: 4px 0 0; padding-inline-start: 28px; }
.ct-codehead { font-size: 13px; font-weight: 600; margin: 12px 0 2px; }
.ct-shown { display: grid; gap: 10px 16px; grid-auto-columns: minmax(240px, 1fr); grid-auto-flow: column; margin: 4px 0 10px; max-height: 420px; overflow: auto; }
.ct-shown section { min-width: 0; }
.ct-shown img { background: #fff; display: block; max-width: 100%; }
.ct-shown p { font-size: 12px; margin: 2px 0; }
.ct-shown .ct-text { font: 12px/1.5 var(--ct-mono); margin: 0; overflow-wrap: anywhere; white-space: pre-wrap; }
.ct-shown .ct-bad { background: color-mix(in srgb, var(--ct-failed) 12%, transparent); padding: 4px 8px; }
.ct-codediff { margin: 4px 0 10px; }
.ct-codetitle { display: flex; flex-wrap: wrap; font-size: 12px; gap: 0 5px; margin: 0 0 4px; white-space: nowrap; }
.ct-codetitle > * { flex: none; max-width: 40%; overflow: hidden; text-overflow: ellipsis; }
.ct-codename { font-weight: 600; }
.ct-code { background: var(--ct-surface); border: 1px solid var(--ct-line); border-radius: 4px; font: 12px/1.5 var(--ct-mono); max-height: 420px; overflow: auto; }
.ct-lines { min-width: max-content; padding: 4px 0; }
.ct-line { padding-right: 12px; position: relative; white-space: pre; min-height: 1.5em; }
.ct-line ins, .ct-line del { text-decoration: none; }
.ct-mark { display: inline-block; text-align: center; user-select: none; width: 22px; }
.ct-line[data-mark="+"] { background: color-mix(in srgb, var(--ct-finished) 13%, transparent); }
.ct-line[data-mark="-"] { background: color-mix(in srgb, var(--ct-failed) 12%, transparent); }
.ct-line[data-mark="+"] b { background: color-mix(in srgb, var(--ct-finished) 28%, transparent); border-radius: 2px; font-weight: 600; }
.ct-line[data-mark="-"] b { background: color-mix(in srgb, var(--ct-failed) 26%, transparent); border-radius: 2px; font-weight: 600; }
.ct-fold { color: var(--ct-muted); padding: 1px 10px 1px 22px; border-block: 1px dotted var(--ct-line); }
.ct-refusal { color: var(--ct-ink); border-left: 3px solid var(--ct-failed); font: 12px/1.4 var(--ct-mono); margin: 4px 0; overflow-x: auto; padding: 6px 10px; }
`;
