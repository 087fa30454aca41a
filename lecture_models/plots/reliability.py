"""Draws a reliability diagram: a classifier's accuracy against its confidence."""

import numpy as np
from jaxtyping import Float, Float32, Int

from lecture_models.plots.figure import GRAY, new_figure, to_image

ACCURACY, OVERCONFIDENT, UNDERCONFIDENT = "#1f77b4", "#f2b5b5", "#a9cfea"
TEXT = "#303030"


def reliability_plot(
    confidence: Float[np.ndarray, " bin"],
    accuracy: Float[np.ndarray, " bin"],
    count: Int[np.ndarray, " bin"],
    calibration_error: float,
    things: str = "images",
) -> Float32[np.ndarray, "side side 3"]:
    """Draws a bar of accuracy for each bin of confidence, and below it the bin's share of images.

    A calibrated classifier's bars end on the diagonal. Red is the gap of a bin whose confidence is
    above its accuracy, light blue the gap of one whose confidence is below it.

    Args:
        confidence: mean probability of the predicted class in each bin, from 0 to 1; NaN in an
            empty bin. The bins divide [0, 1] evenly.
        accuracy: fraction of each bin's images that are classified correctly; NaN in an empty bin.
        count: number of images in each bin.
        calibration_error: expected calibration error as a fraction, which is written into the plot.
        things: what the bins count, for the label of an axis.

    Returns:
        RGB image in [-1, 1], identical for identical arguments.

    Raises:
        ValueError: there are no bins or no images.

    Source: Guo et al., "On calibration of modern neural networks", 2017, Fig. 1.
    """
    if len(count) == 0 or count.sum() == 0 or count.min() < 0:
        raise ValueError(f"the bins hold {count.tolist()} images; 1 or more are needed")
    figure = new_figure()
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(4, 1))
    edges = np.linspace(0.0, 1.0, len(count) + 1)
    middles, width = (edges[:-1] + edges[1:]) / 2.0, 0.94 / len(count)
    confidence, accuracy = np.nan_to_num(confidence), np.nan_to_num(accuracy)
    common, gap = np.minimum(accuracy, confidence), confidence - accuracy
    upper.bar(middles, common, width, color=ACCURACY, label="accuracy")
    for sizes, color, name in (
        (np.maximum(gap, 0.0), OVERCONFIDENT, "confidence above accuracy"),
        (np.maximum(-gap, 0.0), UNDERCONFIDENT, "accuracy above confidence"),
    ):
        upper.bar(middles, sizes, width, bottom=common, color=color, label=name)
    upper.plot([0.0, 1.0], [0.0, 1.0], color=TEXT, linestyle="--", label="perfect calibration")
    lower.bar(middles, count / count.sum(), width, color=GRAY)
    upper.set(xlim=(0.0, 1.0), ylim=(0.0, 1.0), ylabel="accuracy")
    lower.set(xlabel="confidence", ylabel=f"share of\n{things}")
    upper.set_title(f"expected calibration error: {100.0 * calibration_error:.2f}%", fontsize=10)
    upper.legend(loc="upper left", fontsize=8)
    return to_image(figure)
