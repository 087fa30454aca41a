"""Draws where a network looked when it wrote each word about a picture."""

import numpy as np
from jaxtyping import Float, Float32

from lecture_models.plots.figure import new_figure, shorten, to_image

ACROSS = 4  # Cells in a row.
CELLS = 16  # The picture, and at most so many words but one.
LONGEST_WORD = 14  # Characters; longer words end with an ellipsis.


def word_maps(
    image: Float[np.ndarray, "height width 3"],
    words: list[str],
    weights: Float[np.ndarray, "word row column"],
    title: str = "",
) -> Float32[np.ndarray, "side side 3"]:
    """Draws a picture, and again for each word, bright where the weight is.

    Args:
        image: the picture in [-1, 1].
        words: the words; those that find no room are left out.
        weights: the weight of each place at each word, at least 0.
        title: text above.

    Returns:
        RGB image in [-1, 1], identical for identical arguments.

    Raises:
        ValueError: there are not as many weights as words.
    """
    if len(words) != len(weights):
        raise ValueError(f"there are {len(words)} words and the weights of {len(weights)}")
    from PIL import Image

    shown = words[: CELLS - 1]
    figure = new_figure()
    grid = figure.subplots(-(-CELLS // ACROSS), ACROSS)
    for axes in grid.flat:
        axes.set_axis_off()
    pixels = (np.clip(image, -1.0, 1.0) + 1.0) / 2.0
    grid.flat[0].imshow(pixels)
    size = (image.shape[1], image.shape[0])
    for axes, word, places in zip(grid.flat[1:], shown, weights, strict=False):
        relative = (places / max(float(places.max()), 1e-9)).astype(np.float32)
        smooth = np.asarray(Image.fromarray(relative).resize(size, Image.Resampling.BICUBIC))
        light = np.clip(0.25 + 0.75 * smooth, 0.0, 1.0)[..., None]
        axes.imshow(pixels * light)
        axes.set_title(shorten(word, LONGEST_WORD), fontsize=8, pad=2)
    if title:
        figure.suptitle(shorten(title, 70), fontsize=8)
    return to_image(figure)
