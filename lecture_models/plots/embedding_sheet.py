"""Draws several embeddings of the same examples on one sheet."""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Array, Float, Float32

from lecture_models.plots.figure import new_figure, to_image

COLUMNS = 3


def embedding_sheet(
    embeddings: Mapping[str, Float[Array | np.ndarray, "example 2"]],
    values: Float[Array | np.ndarray, " example"],
    title: str,
) -> Float32[np.ndarray, "side side 3"]:
    """Draws one small scatter plot for each embedding, colored by a value of the examples.

    Args:
        embeddings: by the words above a plot, the points.
        values: decides the color of each example, from blue to red.
        title: words above the sheet.

    Returns:
        RGB image in [-1, 1], identical for identical arguments.

    Raises:
        ValueError: there is no embedding.
    """
    if not embeddings:
        raise ValueError("there are no embeddings; at least 1 is needed")
    figure = new_figure()
    rows = -(-len(embeddings) // COLUMNS)
    grid = figure.subplots(rows, COLUMNS, squeeze=False)
    order = np.random.default_rng(0).permutation(len(values))
    for axes, (name, points) in zip(grid.flat, embeddings.items(), strict=False):
        x, y = np.asarray(points)[order].T
        axes.scatter(x, y, s=2, c=np.asarray(values)[order], cmap="turbo", linewidths=0)
        axes.set_title(name, fontsize=7)
        axes.set(xticks=[], yticks=[], box_aspect=1.0)
    for axes in list(grid.flat)[len(embeddings) :]:
        axes.set_axis_off()
    figure.suptitle(title, fontsize=9)
    return to_image(figure)
