import { element } from "../element.ts";
import { TINY } from "./styles.ts";

const MOST = 4_000_000; // pixels that are compared

/** How two pictures differ, pixel by pixel. */
export interface Apart {
  /** Of the pixels, the share that is not the same. */
  share: number;
  /** The largest difference of a colour, of 255. */
  most: number;
  pixels: Uint8ClampedArray<ArrayBuffer>;
}

/** The absolute difference of two pictures of one size, RGBA, drawn as bright as it is large. */
export function difference(one: Uint8ClampedArray, other: Uint8ClampedArray): Apart {
  const pixels = new Uint8ClampedArray(one.length);
  let [some, most] = [0, 0];
  for (let i = 0; i < one.length; i += 4) {
    let here = Math.abs((one[i + 3] ?? 0) - (other[i + 3] ?? 0));
    for (let c = 0; c < 3; c++) {
      const apart = Math.abs((one[i + c] ?? 0) - (other[i + c] ?? 0));
      pixels[i + c] = apart;
      if (apart > here) here = apart;
    }
    pixels[i + 3] = 255;
    if (here > 0) some++;
    if (here > most) most = here;
  }
  return { share: one.length > 0 ? (4 * some) / one.length : 0, most, pixels };
}

/** The difference of two pictures as a picture, and in words. */
export async function differenceView(first: string, second: string): Promise<HTMLElement> {
  const [one, other] = await Promise.all([loaded(first), loaded(second)]);
  const { naturalWidth: width, naturalHeight: height } = one;
  if (width !== other.naturalWidth || height !== other.naturalHeight) {
    const sizes = `${width} x ${height} and ${other.naturalWidth} x ${other.naturalHeight}`;
    return element("p", { class: "ct-muted" }, `pictures of ${sizes} cannot be compared pixel by pixel`);
  }
  if (width * height > MOST)
    return element("p", { class: "ct-muted" }, "these pictures are too large to be compared here");
  const { share, most, pixels } = difference(pixelsOf(one), pixelsOf(other));
  const canvas = element("canvas", { width, height, role: "img", class: width < TINY ? "tiny" : "" });
  canvas.getContext("2d")?.putImageData(new ImageData(pixels, width, height), 0, 0);
  const words =
    most === 0
      ? "the same in every pixel"
      : `${(100 * share).toPrecision(3)} % of the pixels differ, by ${most} of 255 at most`;
  canvas.setAttribute("aria-label", words);
  return element("div", {}, canvas, element("p", { class: "ct-muted" }, words));
}

async function loaded(url: string): Promise<HTMLImageElement> {
  const image = new Image();
  image.src = url;
  await image.decode();
  return image;
}

function pixelsOf(image: HTMLImageElement): Uint8ClampedArray {
  const { naturalWidth: width, naturalHeight: height } = image;
  const canvas = element("canvas", { width, height });
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (!context) throw new Error("this browser gave no canvas to compare the pictures on");
  context.drawImage(image, 0, 0);
  return context.getImageData(0, 0, width, height).data;
}
