import type { MediaOptions } from "../contract.ts";
import { widget } from "../kernel.ts";
import { savedSource } from "../saved.ts";
import type { Mount, Source } from "../source.ts";
import { comparisonStyles } from "../ui/compare/styles.ts";
import { comparisonView } from "../ui/compare/view.ts";
import { controlStyles } from "../ui/controls.ts";
import { element } from "../ui/element.ts";
import { panelRoot } from "../ui/root.ts";
import { MEDIA, mount as mountMedia } from "./media.ts";

/** How the media of the runs are shown; of the rest nothing is kept. */
export type CompareOptions = MediaOptions;

/** A comparison of runs; the run table opens the same view below itself. */
export const mount: Mount<CompareOptions> = (into, source, signal) => {
  const { el } = panelRoot(into, controlStyles + comparisonStyles, "compare", signal);
  let inside = new AbortController();
  const draw = (): void => {
    inside.abort();
    inside = new AbortController();
    const { comparison, hints, media } = source.payload();
    el.replaceChildren(
      ...hints.map((hint) => element("p", { class: "ct-muted" }, hint)),
      comparison
        ? comparisonView(comparison, inside.signal)
        : element("p", { class: "ct-muted" }, "nothing to compare: name two runs"),
      ...(media ? [element("div", { class: "ct-codehead" }, "media"), mediaView(source, inside.signal)] : []),
    );
  };
  signal.addEventListener("abort", () => inside.abort());
  source.changed(draw, signal);
  draw();
};

/** What the runs kept beside numbers, side by side or laid over each other. */
function mediaView(source: Source<CompareOptions>, signal: AbortSignal): HTMLElement {
  const held = element("div");
  const items = savedSource<MediaOptions>(source.payload(), { ...MEDIA, ...source.options() });
  const keep = (options: MediaOptions): void => {
    items.keep(options);
    source.keep(options);
  };
  mountMedia(held, { ...items, keep, kind: source.kind, take: source.take }, signal);
  return held;
}

export default widget(mount);
