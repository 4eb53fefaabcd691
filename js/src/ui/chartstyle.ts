import { controlStyles } from "./controls.ts";
import { popupStyles } from "./popup.ts";

/** Styles of the chart panel. */
const own = `
.top {
  align-items: flex-start; container-type: inline-size; display: flex; flex-wrap: wrap; gap: 6px 16px;
  justify-content: space-between; min-height: 26px;
}
.top > * { max-width: 100%; min-width: 0; }
.title { font-weight: 600; margin: 0 0 2px; }
.controls { align-items: center; display: flex; flex-wrap: wrap; font-size: 12px; gap: 6px 10px; margin-inline-start: auto; }
.runs .scroll { max-height: 154px; overflow: auto; }
.runs th, .runs td { line-height: 22px; padding-inline-end: 14px; }
.runs th { white-space: nowrap; }
.runs .name { display: inline-block; font-weight: 600; max-width: min(60ch, 45cqw); overflow: hidden; text-overflow: ellipsis; vertical-align: bottom; }
.runs.many .name { font-weight: 400; }
.runs td:empty { padding: 0; }
.runs td { color: var(--ct-muted); }
.runs .ct-status { color: var(--ct-ink); }
.runs .swatch { display: none; }
.runs.many .swatch { display: inline-block; margin-inline-end: 7px; vertical-align: middle; }
@container (max-width: 520px) { .runs th:nth-child(5), .runs td:nth-child(5) { display: none; } .runs.many .name { max-width: 24ch; } }
.hands { align-items: center; display: flex; flex-wrap: wrap; font-size: 12px; gap: 4px 8px; margin-top: 3px; min-height: 26px; }
.hands .ct-error { margin: 0; }
.knobs { display: contents; }
.knob { align-items: center; display: inline-flex; gap: 6px; white-space: nowrap; }
.knob .find { width: 9ch; }
.knob input[type=range] { accent-color: var(--ct-accent); width: 90px; }
.swatch { fill: none; flex: none; height: 8px; width: 18px; }
.errors p { margin: 2px 0; max-width: 110ch; overflow-wrap: anywhere; white-space: pre-wrap; }
.grid {
  --gap: 20px; display: grid; gap: 14px var(--gap); margin-top: 8px;
  grid-template-columns: repeat(auto-fit, minmax(min(100%, max(290px, (100% - 2 * var(--gap)) / 3)), 1fr));
}
.card { container-type: inline-size; min-width: 0; }
.card h3 { font-size: 12.5px; font-weight: 600; line-height: 18px; margin: 0; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.card h3 span { font-weight: 400; }
.stage { border-radius: 4px; margin-bottom: 3px; min-height: 172px; position: relative; }
.card.single .stage, .single .legend .min, .single .legend .max, .single .legend .at { display: none; }
.legend { max-height: 188px; overflow: auto; }
.legend table { font-size: 12px; line-height: 24px; max-width: 620px; table-layout: fixed; width: 100%; }
.legend thead th { background: var(--ct-surface); color: var(--ct-muted); font-size: 11px; line-height: 20px; position: sticky; top: 0; z-index: 1; }
.legend th ~ th { width: 76px; }
.legend td.best { color: var(--ct-ink); font-weight: 600; }
.gap { color: var(--ct-muted); font-size: 12px; line-height: 20px; margin: 0; min-height: 20px; }
details > summary { border-top: 1px solid var(--ct-line); cursor: pointer; font-weight: 600; line-height: 24px; margin-top: 10px; padding-top: 4px; }
.notes, .alerts { color: var(--ct-muted); font-size: 12px; line-height: 18px; list-style: disc inside; margin: 0; overflow-wrap: anywhere; padding: 0; }
.noting .find { width: 26ch; margin-inline-end: 6px; }
.noting h3 { max-width: 34ch; overflow-wrap: anywhere; }
.find { background: transparent; border: 1px solid var(--ct-line); border-radius: 4px; line-height: 1.3; padding: 2px 7px; width: 16ch; }
.smoother { align-items: center; display: inline-flex; gap: 6px; }
.smoother input { accent-color: var(--ct-accent); width: 90px; }
.ct-select { background: var(--ct-surface); border: 1px solid var(--ct-line); border-radius: 4px; color: inherit; font: inherit; max-width: min(28ch, 100%); padding: 2px 4px; }
.legend td { color: var(--ct-muted); }
.legend td.last { color: var(--ct-ink); }
.legend .pointed td.at, .legend.pointed td.at { color: var(--ct-ink); }
.legend button {
  align-items: center; background: none; border: 0; cursor: pointer; display: flex; gap: 7px; line-height: 24px;
  max-width: 100%; padding: 0 4px 0 0; text-align: start; width: 100%;
}
.legend tbody tr:hover { background: var(--ct-hover); }
.legend .name { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.legend .split { color: var(--ct-muted); flex: none; }
.legend .note { color: var(--ct-failed); flex: none; font-size: 11px; }
.legend .off .swatch, .legend .off td { opacity: 0.35; }
.legend .off .name, .legend .off .split { text-decoration: line-through; opacity: 0.6; }
/* Names of runs need the room: of the lowest and the highest the better one stays. */
@container (max-width: 620px) {
  .legend.several:not([data-goal="min"]) .min, .legend.several:not([data-goal="max"]) .max { display: none; }
}
@container (max-width: 380px) { .legend .min, .legend .max { display: none; } }
.blank { align-items: center; border: 1px dashed var(--ct-line); border-radius: 6px; color: var(--ct-muted); display: flex; justify-content: center; margin-top: 8px; padding: 8px 16px; text-align: center; }
.blank.tall { min-height: 250px; }
.foot { color: var(--ct-muted); font-size: 12px; margin: 8px 0 0; }
.plot canvas { display: block; height: 172px; width: 100%; }
.plot canvas + canvas { cursor: crosshair; inset: 0; position: absolute; touch-action: pan-y; }
`;

export const chartCss = `${controlStyles}${popupStyles}${own}`;
