import type { MediaOptions, MediaShown } from "../contract.ts";
import { widget } from "../kernel.ts";
import type { Mount } from "../source.ts";
import { mediaStyles } from "../ui/media/styles.ts";
import { MediaView } from "../ui/media/view.ts";
import { panelRoot } from "../ui/root.ts";

export const MEDIA: MediaOptions = { key: "", step: null, how: "beside", first: "", second: "", share: 0.5 };
const NONE: MediaShown = { runs: {}, items: [], omitted: 0, kept: [] };

/** What runs kept beside numbers: pictures, sound, text, tables and histograms, side by side at one step. */
export const mount: Mount<MediaOptions> = (into, source, signal) => {
  const { el } = panelRoot(into, mediaStyles, "media", signal);
  const view = new MediaView(
    {
      shown: () => source.payload().media ?? NONE,
      options: () => ({ ...MEDIA, ...source.options() }),
      keep: (options) => source.keep(options),
      take: ({ run, number }) => source.take({ run, number }),
    },
    signal,
  );
  el.append(view.el);
  source.changed(() => view.draw(), signal);
};

export default widget(mount);
