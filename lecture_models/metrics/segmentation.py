"""Compares masks with the true ones."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float64, Integer

Masks = Bool[np.ndarray, "picture height width"] | Integer[np.ndarray, "picture height width"]
TrueMasks = (
    Bool[np.ndarray, "picture true_height true_width"]
    | Integer[np.ndarray, "picture true_height true_width"]
)


class MaskScores(NamedTuple):
    """Holds how well masks fit, as means over pictures.

    Attributes:
        object_iou: intersection over union of the object's pixels.
        mean_iou: the mean of that of the object and of the background.
        dice: twice the shared pixels over the pixels of both masks.
        accuracy: the share of pixels that are right.
    """

    object_iou: float
    mean_iou: float
    dice: float
    accuracy: float


def mask_iou(found: Masks, truth: TrueMasks) -> Float64[np.ndarray, " picture"]:
    """Returns the pixels that two masks share, over those that they cover together.

    Args:
        found: the masks to judge; every value but 0 belongs to the object.
        truth: the true masks.

    Returns:
        One value per picture from 0 to 1; 1 where both masks are empty.

    Raises:
        ValueError: the shapes differ.
    """
    if found.shape != truth.shape:
        raise ValueError(
            f"the masks have the shape {found.shape} and the true ones {truth.shape}; they must be "
            "equal"
        )
    found, truth = found != 0, truth != 0
    shared = (found & truth).sum(axis=(1, 2))
    together = (found | truth).sum(axis=(1, 2))
    return np.where(together > 0, shared / np.maximum(together, 1), 1.0)


def mask_scores(found: Masks, truth: TrueMasks) -> MaskScores:
    """Returns how well masks fit.

    Args:
        found: the masks to judge.
        truth: the true masks.

    Returns:
        Means over the pictures; all are 1 for equal masks.

    Raises:
        ValueError: the shapes differ.
    """
    of_object = mask_iou(found, truth)
    of_background = mask_iou(found == 0, truth == 0)
    accuracy = ((found != 0) == (truth != 0)).mean()
    dice = 2.0 * of_object / (1.0 + of_object)
    mean_iou = (of_object.mean() + of_background.mean()) / 2.0
    return MaskScores(float(of_object.mean()), float(mean_iou), float(dice.mean()), float(accuracy))
