"""Draws a confusion matrix with the counts in its cells."""

import numpy as np
from jaxtyping import Float32, Float64, Int

from lecture_models.plots.figure import GRAY, new_figure, shorten, to_image

RIGHT = np.array([31, 119, 180]) / 255.0  # Blue, for the diagonal.
WRONG = np.array([214, 39, 40]) / 255.0  # Red, for all other cells.
AMPLIFIED = 10.0  # A mistake made for a tenth of a class's images is already full red.
LONGEST_NAME = 14
MATRIX_POINTS = 250.0  # Side of the matrix in points of 1/72 inch, about.
LARGEST_FONT, SMALLEST_FONT = 9.0, 4.5  # Points; counts that need smaller digits are not written.


def confusion_plot(
    matrix: Int[np.ndarray, "true predicted"], classes: tuple[str, ...], things: str = "images"
) -> Float32[np.ndarray, "side side 3"]:
    """Draws a cell for each pair of true class (row) and predicted class (column).

    The color is the share of the row: blue on the diagonal; red elsewhere, ten times amplified.

    Args:
        matrix: number of images of each true class that were predicted as each class.
        classes: names of the rows and columns.
        things: what is counted, for the title.

    Returns:
        RGB image in [-1, 1], identical for identical arguments.

    Raises:
        ValueError: the matrix does not have one row and one column for each class, or holds a
            negative count.
    """
    if matrix.shape != (len(classes),) * 2 or len(classes) == 0:
        raise ValueError(
            f"the matrix has shape {matrix.shape}; with {len(classes)} classes it must be square "
            "with a row for each, 1 or more"
        )
    if matrix.min() < 0:
        raise ValueError(f"the matrix holds {matrix.min()}; counts must be at least 0")
    strength = _strength(matrix)
    figure = new_figure()
    axes = figure.add_subplot()
    full = np.where(np.eye(len(classes), dtype=bool)[..., None], RIGHT, WRONG)
    axes.imshow(1.0 + strength[..., None] * (full - 1.0), interpolation="nearest")
    _draw_grid(axes, len(classes))
    _draw_names(axes, classes)
    _draw_counts(axes, matrix, strength)
    axes.set(xlabel="predicted class", ylabel="true class")
    axes.set_title(f"number of {things}; color: share of the row, mistakes x 10", fontsize=8)
    return to_image(figure)


def _strength(matrix) -> Float64[np.ndarray, "true predicted"]:
    """Returns how far each cell's color is from white, from 0 to 1."""
    shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    on_diagonal = np.eye(len(matrix), dtype=bool)
    return np.where(on_diagonal, shares, np.minimum(1.0, AMPLIFIED * shares))


def _draw_grid(axes, count: int) -> None:
    edges = np.arange(1, count) - 0.5
    style = {"colors": GRAY, "linewidth": min(0.8, 8.0 / count), "in_layout": False}
    axes.hlines(edges, -0.5, count - 0.5, **style)
    axes.vlines(edges, -0.5, count - 0.5, **style)


def _draw_names(axes, classes: tuple[str, ...]) -> None:
    cell = MATRIX_POINTS / len(classes)
    size = min(LARGEST_FONT, max(6.0, 0.8 * cell))
    step = max(1, round(1.3 * size / cell))  # Not every row has room for a line of text.
    places = np.arange(0, len(classes), step)
    names = [shorten(classes[place], LONGEST_NAME) for place in places]
    upright = max(map(len, names)) * 0.6 * size > step * cell
    style = {"fontsize": size, "parse_math": False}
    axes.set_xticks(places, names, rotation=90 if upright else 0, **style)
    axes.set_yticks(places, names, **style)


def _draw_counts(axes, matrix, strength) -> None:
    digits = len(str(matrix.max()))
    size = min(LARGEST_FONT, 0.85 * MATRIX_POINTS / len(matrix) / (0.65 * max(digits, 2)))
    if size < SMALLEST_FONT:
        return
    for row, column in np.argwhere(matrix):
        color = "white" if strength[row, column] > 0.6 else "#303030"
        count = str(matrix[row, column])
        style = {"color": color, "fontsize": size, "ha": "center", "va": "center"}
        axes.text(column, row, count, in_layout=False, **style)
