"""Computes accuracy, macro recall and macro F1 from confusion matrices of NumPy or of jax."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
from jaxtyping import Array, Float, Num

Confusion = Num[Array | np.ndarray, "*set true predicted"]
Score = Float[Array | np.ndarray | np.floating, "*set"]


def accuracy(confusion: Confusion) -> Score:
    """Returns the share of examples that are classified right.

    Args:
        confusion: numbers of examples by their class (rows) and predicted class (columns).

    Returns:
        From 0 to 1, for each matrix; higher is better.
    """
    right = confusion.trace(axis1=-2, axis2=-1)
    return right / confusion.sum((-2, -1))


def macro_recall(confusion: Confusion) -> Score:
    """Returns the mean over the classes of the share of each class's examples that are found.

    It is 1 / classes for every classifier that always gives the same class, and does not depend on
    how frequent the classes are: SemEval-2017, task 4A.

    Args:
        confusion: as for `accuracy`.

    Returns:
        From 0 to 1, for each matrix; a class without examples is left out.
    """
    counts = confusion.sum(-1)
    right = confusion.diagonal(axis1=-2, axis2=-1)
    recalls = right / (counts + (counts == 0))
    return recalls.sum(-1) / (counts > 0).sum(-1)


def macro_f1(confusion: Confusion) -> Score:
    """Returns the mean over the classes of F1, the harmonic mean of precision and recall.

    F1 = 2 right / (examples of the class + examples predicted as it)

    Args:
        confusion: as for `accuracy`.

    Returns:
        From 0 to 1, for each matrix; a class that neither occurs nor is predicted is left out.
    """
    sizes = confusion.sum(-1) + confusion.sum(-2)
    right = confusion.diagonal(axis1=-2, axis2=-1)
    scores = 2.0 * right / (sizes + (sizes == 0))
    return scores.sum(-1) / (sizes > 0).sum(-1)


SCORES: Mapping[str, Callable[[Confusion], Score]] = MappingProxyType(
    {"accuracy": accuracy, "macro recall": macro_recall, "macro F1": macro_f1}
)
