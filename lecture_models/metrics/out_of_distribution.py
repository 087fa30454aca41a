"""Measures how well a score tells images of another kind from those of the data."""

import numpy as np
import scipy.stats
from jaxtyping import Float


def auroc(inside: Float[np.ndarray, " inside"], outside: Float[np.ndarray, " outside"]) -> float:
    """Returns the probability that an outside example has the higher score; ties count half.

    Args:
        inside: the scores of examples of the data, such as their nats.
        outside: the scores of examples of another kind.

    Returns:
        A number from 0 to 1, the area under the receiver operating characteristic: 1 if every
        outside score is above every inside score, 0.5 if the scores say nothing. Hanley and McNeil,
        "The meaning and use of the area under a ROC curve", 1982.

    Raises:
        ValueError: there are no examples of one kind.
    """
    if not len(inside) or not len(outside):
        raise ValueError(
            f"there are {len(inside)} and {len(outside)} scores; each kind needs at least 1"
        )
    statistic = scipy.stats.mannwhitneyu(outside, inside).statistic
    return float(statistic / (len(inside) * len(outside)))
