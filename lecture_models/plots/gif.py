"""Encodes frames as an animated GIF, which repeats endlessly."""

import io

from PIL import Image

PALETTE_SIZE = 256


def with_palette(image: Image.Image) -> Image.Image:
    """Returns the image with the 256 colors that fit it best; gray images keep their 256 levels.

    A transparent image is laid over white.
    The colors are chosen on an image with a quarter of the width and height: on all pixels of noise
    it would take ten times longer.
    """
    if image.mode == "L":
        return image
    if image.has_transparency_data:  # A pixel of a GIF is opaque or invisible, nothing between.
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image.convert("RGBA"))
    image = image.convert("RGB")
    small = image.reduce(min(4, *image.size))
    colors = small.quantize(PALETTE_SIZE, Image.Quantize.MEDIANCUT)
    return image.quantize(palette=colors, dither=Image.Dither.NONE)


def encode_gif(frames: list[Image.Image], milliseconds: list[int], comment: str = "") -> bytes:
    """Encodes frames, each shown for its number of milliseconds; equal frames give equal bytes.

    A GIF counts time in hundredths of a second. `comment` is a text inside the file.
    """
    content = io.BytesIO()
    frames[0].save(
        content,
        format="GIF",
        save_all=True,
        append_images=frames[1:],
        duration=milliseconds,
        loop=0,
        optimize=False,
        **({"comment": comment} if comment else {}),
    )
    return content.getvalue()
