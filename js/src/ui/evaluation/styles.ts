/** Styles of the evaluation panel. */
export const evaluationStyles = `
.bar { align-items: center; display: flex; flex-wrap: wrap; gap: 6px 14px; margin-bottom: 8px; min-height: 28px; }
.bar label { white-space: nowrap; }
.bar input { accent-color: var(--ct-accent); vertical-align: -2px; }
.ct-select { background: var(--ct-surface); border: 1px solid var(--ct-line); border-radius: 4px; color: inherit; font: inherit; max-width: 30ch; padding: 2px 4px; }
.across { max-width: 100%; overflow-x: auto; padding: 2px; }
.ct .scores th, .ct .scores td { border-bottom: 1px solid var(--ct-line); line-height: 24px; padding: 0 18px 0 0; white-space: nowrap; }
.scores tbody th { color: var(--ct-muted); }
.scores strong, .scores b { font-weight: 600; }
.interval { font-size: 12px; margin-left: 8px; }
.swatch { border-radius: 2px; display: inline-block; height: 3px; margin-right: 6px; vertical-align: 4px; width: 16px; }
.cards { align-items: start; display: flex; flex-wrap: wrap; gap: 16px 22px; margin-top: 14px; }
.cards figure { margin: 0; max-width: 100%; min-width: 0; }
.cards figcaption { align-items: baseline; display: flex; flex-wrap: wrap; font-weight: 600; gap: 0 8px; margin-bottom: 4px; overflow-wrap: anywhere; }
.cards figcaption .ct-muted { font-size: 12px; font-weight: 400; }
.ct .confusion th { color: var(--ct-muted); font-size: 12px; padding: 0 6px; text-align: center; max-width: 12ch; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.ct .confusion tbody th { text-align: right; }
.ct .confusion td { padding: 1px; }
.confusion button { background: var(--ct-surface); border: 1px solid var(--ct-line); border-radius: 3px; cursor: pointer; font-size: 12px; min-width: 34px; padding: 3px 5px; width: 100%; }
.confusion button[data-kind="none"] { color: var(--ct-muted); }
.confusion button[data-kind="right"] { background: color-mix(in srgb, var(--ct-accent) calc(var(--share) * 0.5%), var(--ct-surface)); }
.confusion button[data-kind="wrong"] { background: color-mix(in srgb, var(--ct-failed) calc(var(--share) * 0.7%), var(--ct-surface)); }
.confusion button:hover { border-color: var(--ct-ink); }
.plot { position: relative; width: 320px; }
.plot svg { display: block; height: auto; overflow: visible; width: 100%; }
.plot text { fill: var(--ct-muted); font-size: 11px; }
.plot .rule { opacity: 0.6; stroke: var(--ct-line); }
.plot .chance { opacity: 0.7; stroke: var(--ct-muted); stroke-dasharray: 3 4; }
.plot .stroke { fill: none; stroke-linejoin: round; stroke-width: 1.8; }
.fair { flex-basis: 100%; }
.fair .gaps { display: flex; flex-wrap: wrap; gap: 2px 18px; list-style: none; margin: 10px 0 4px; padding: 0; }
.ct .fair th, .ct .fair td { border-bottom: 1px solid var(--ct-line); line-height: 24px; padding: 0 14px 0 0; white-space: nowrap; }
.fair th { color: var(--ct-muted); }
.fair td svg { margin-right: 6px; vertical-align: -2px; }
.fair .rule { stroke: var(--ct-line); }
.fair .few { color: var(--ct-failed); font-size: 12px; }
.fair summary { cursor: pointer; margin: 10px 0 4px; }
.spot { cursor: pointer; }
.spot:hover, .spot:focus-visible, .spot[aria-pressed="true"] { filter: brightness(1.2); stroke: var(--ct-ink); stroke-width: 1.5; }
.ct .picked .title { font-size: 13px; font-weight: 600; margin: 14px 0 4px; overflow-wrap: anywhere; }
.picked p { margin: 4px 0; }
.picked .rows { max-height: 300px; max-width: 100%; overflow: auto; }
.ct .picked th, .ct .picked td { border-bottom: 1px solid var(--ct-line); line-height: 22px; padding: 0 14px 0 0; white-space: nowrap; }
.picked th { background: var(--ct-surface); color: var(--ct-muted); position: sticky; top: 0; }
`;
