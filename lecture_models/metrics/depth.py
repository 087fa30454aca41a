"""Compares depths with the true ones."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

Depths = Float[np.ndarray, "picture height width"]
TrueDepths = Float[np.ndarray, "picture true_height true_width"]

RATIO = 1.25


class DepthScores(NamedTuple):
    """Holds how well depths fit, over all known pixels of all pictures.

    Attributes:
        abs_rel: the mean of |predicted - true| / true.
        rmse: the root of the mean squared error, in the unit of the depths.
        log10: the mean distance of the decimal logarithms.
        delta_1: the share of pixels where the larger is less than 1.25 times the smaller.
        delta_2: likewise 1.25^2.
        delta_3: likewise 1.25^3.
        known: the number of pixels whose depth is known.
    """

    abs_rel: float
    rmse: float
    log10: float
    delta_1: float
    delta_2: float
    delta_3: float
    known: int


def depth_scores(predicted: Depths, truth: TrueDepths) -> DepthScores:
    """Returns the measures that Eigen et al., 2014, section 4.3, and Laina et al., 2016, print.

    Args:
        predicted: predicted depths, above 0.
        truth: true depths; 0 and NaN mean that they are not known.

    Returns:
        The measures; no scale is fitted.

    Raises:
        ValueError: the shapes differ, no depth is known, or a predicted one is not above 0.
    """
    if predicted.shape != truth.shape:
        raise ValueError(
            f"predicted depths have the shape {predicted.shape} and true ones {truth.shape}; they "
            "must be equal"
        )
    known = np.isfinite(truth) & (truth > 0.0)
    if not known.any():
        raise ValueError("no true depth is known; at least one pixel must be above 0")
    found, true = predicted[known].astype(np.float64), truth[known].astype(np.float64)
    if not (np.isfinite(found).all() and (found > 0.0).all()):
        raise ValueError(f"the smallest predicted depth is {found.min()}; it must be above 0")
    ratio = np.maximum(found / true, true / found)
    deltas = (float((ratio < RATIO**power).mean()) for power in (1, 2, 3))
    return DepthScores(
        float((np.abs(found - true) / true).mean()),
        float(np.sqrt(((found - true) ** 2).mean())),
        float(np.abs(np.log10(found / true)).mean()),
        *deltas,
        int(known.sum()),
    )
