"""Draws how much each word of one sentence looks at each word of another."""

import numpy as np
from jaxtyping import Float, Float32

from lecture_models.plots.figure import new_figure, shorten, to_image

LONGEST_WORD = 18  # Characters; longer words end with an ellipsis.


def attention_map(
    columns: tuple[str, ...],
    rows: tuple[str, ...],
    weights: Float[np.ndarray, "row column"],
    title: str = "",
) -> Float32[np.ndarray, "side side 3"]:
    """Draws a matrix of weights with a word at each row and column.

    Args:
        columns: the words above, which are looked at.
        rows: the words at the left, which look.
        weights: from 0, drawn white, to 1, drawn dark.
        title: text above.

    Returns:
        RGB image in [-1, 1], identical for identical arguments.

    Raises:
        ValueError: the weights have another shape than the words.
    """
    if weights.shape != (len(rows), len(columns)):
        raise ValueError(
            f"the weights have the shape {weights.shape}; there are {len(rows)} rows and "
            f"{len(columns)} columns of words"
        )
    figure = new_figure()
    axes = figure.add_subplot()
    axes.imshow(weights, cmap="Blues", vmin=0.0, vmax=1.0, aspect="auto")
    size = 10 if max(len(rows), len(columns)) <= 16 else 7
    axes.xaxis.tick_top()
    axes.set_xticks(range(len(columns)), [shorten(word, LONGEST_WORD) for word in columns])
    axes.set_yticks(range(len(rows)), [shorten(word, LONGEST_WORD) for word in rows])
    axes.tick_params(axis="x", rotation=90, labelsize=size, length=0)
    axes.tick_params(axis="y", labelsize=size, length=0)
    if title:
        figure.suptitle(title, fontsize=10)
    return to_image(figure)
