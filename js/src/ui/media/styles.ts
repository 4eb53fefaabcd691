/** Pictures narrower than this are made so wide, in pixels, and shown pixel by pixel. */
export const TINY = 96;

/** Styles of the media panel. */
export const mediaStyles = `
.bar { align-items: center; display: flex; flex-wrap: wrap; gap: 6px 14px; margin-bottom: 8px; min-height: 28px; }
.ct-select { background: var(--ct-surface); border: 1px solid var(--ct-line); border-radius: 4px; color: inherit; font: inherit; max-width: 30ch; padding: 2px 4px; }
.steps { align-items: center; display: inline-flex; gap: 6px; }
.steps input { accent-color: var(--ct-accent); width: 180px; }
.sheet { display: grid; gap: 14px 18px; grid-template-columns: repeat(auto-fill, minmax(min(100%, 240px), 1fr)); }
.sheet.wide { grid-template-columns: 1fr; }
.sheet figure { margin: 0; min-width: 0; }
.sheet figcaption { align-items: baseline; display: flex; flex-wrap: wrap; gap: 0 8px; margin-bottom: 4px; overflow-wrap: anywhere; }
.sheet figcaption b { font-weight: 600; }
.sheet img, .sheet canvas, .sheet video { background: var(--ct-hover); border: 1px solid var(--ct-line); display: block; height: auto; max-height: 420px; max-width: 100%; }
.sheet img, .sheet canvas { min-width: min(100%, ${TINY}px); }
.sheet .tiny { image-rendering: pixelated; }
.sheet:has(> figure:only-child :is(img, canvas, video)) { grid-template-columns: 1fr; }
.sheet audio { max-width: 100%; width: 100%; }
.sheet p { margin: 2px 0; }
.sheet .text { background: var(--ct-hover); border-radius: 4px; font: 12px/1.45 var(--ct-mono); margin: 0; max-height: 320px; overflow: auto; overflow-wrap: anywhere; padding: 6px 8px; white-space: pre-wrap; }
.histogram svg { display: block; fill: var(--ct-accent); height: 120px; width: 100%; }
.histogram svg rect:hover { fill: var(--ct-ink); }
.ends { display: flex; justify-content: space-between; }
.rows { max-height: 320px; overflow: auto; }
.rows th, .rows td { border-bottom: 1px solid var(--ct-line); line-height: 22px; padding: 0 10px 0 0; white-space: nowrap; }
.rows th { background: var(--ct-surface); color: var(--ct-muted); position: sticky; top: 0; }
.sheet:has(.chart) { grid-template-columns: repeat(auto-fill, minmax(min(100%, 420px), 1fr)); }
.chart { overflow-x: auto; }
.laid { display: inline-grid; max-width: 100%; }
.laid > * { grid-area: 1 / 1; }
`;
