import type { Content, MediaItem } from "../../contract.ts";

/** An item as it is shown: an address of its bytes where it has some, or the chart that they describe. */
export interface Held {
  content: Content;
  url: string;
  chart: Record<string, unknown> | null;
}

export type Take = (item: MediaItem) => Promise<[Content, Uint8Array]>;

const MOST = 80; // items that are held at once

// What the browser may be given as bytes of their own: none of it runs anything in an element.
const TYPES = /^(image\/(png|jpeg|gif|webp|svg\+xml)|audio\/(wav|mpeg|ogg|flac)|video\/(mp4|webm))$/;

const VEGALITE = "application/vnd.vegalite.v6+json";

/** The items that were looked at lately; equal bytes are asked for once, and every address is given back. */
export class Holding {
  readonly #held = new Map<string, Promise<Held>>();

  constructor(
    private readonly take: Take,
    signal: AbortSignal,
  ) {
    signal.addEventListener("abort", () => {
      for (const key of [...this.#held.keys()]) this.#drop(key);
    });
  }

  get(item: MediaItem): Promise<Held> {
    const key = item.digest ? `${item.kind}/${item.digest}` : `${item.run}/${item.number}`;
    const known = this.#held.get(key);
    this.#held.delete(key);
    const held = known ?? this.take(item).then(([content, bytes]) => hold(content, bytes));
    this.#held.set(key, held);
    held.catch(() => this.#held.delete(key)); // what could not be had now may be later
    const oldest = this.#held.keys().next().value;
    if (this.#held.size > MOST && oldest !== undefined) this.#drop(oldest);
    return held;
  }

  #drop(key: string): void {
    this.#held.get(key)?.then(
      ({ url }) => url && URL.revokeObjectURL(url),
      () => {},
    );
    this.#held.delete(key);
  }
}

function hold(content: Content, bytes: Uint8Array): Held {
  const shows = bytes.length > 0 && TYPES.test(content.media);
  const url = shows ? URL.createObjectURL(new Blob([bytes as BlobPart], { type: content.media })) : "";
  return { content, url, chart: content.media === VEGALITE ? JSON.parse(new TextDecoder().decode(bytes)) : null };
}
