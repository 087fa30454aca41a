"""Folds a 1x1 convolution of the three colors into the layer after it."""

from collections.abc import Mapping

import numpy as np

from lecture_models.weights.error import WeightsError


def fold_color_layer(
    tensors: Mapping[str, np.ndarray], color: str, first: str
) -> dict[str, np.ndarray]:
    """Returns the tensors without the layer `color`: K (C x + c) + k = (K C) x + (K c + k).

    This is exact if the first layer pads with reflected pixels, which also pass the color layer;
    padding with zeros does not.

    Args:
        tensors: the public tensors by key.
        color: name of the 1x1 convolution, with the kernel C and the bias c.
        first: name of the convolution after it, with the kernel K and the bias k.

    Raises:
        WeightsError: a tensor of the two layers is missing.
    """
    needed = [f"{layer}.{part}" for layer in (color, first) for part in ("weight", "bias")]
    if missing := [key for key in needed if key not in tensors]:
        raise WeightsError(f"the file is of another network: it has no {', '.join(missing)}")
    mixing, shift = tensors[f"{color}.weight"][:, :, 0, 0], tensors[f"{color}.bias"]
    kernel = tensors[f"{first}.weight"]
    folded = {
        f"{first}.weight": np.einsum("omhw,mi->oihw", kernel, mixing),
        f"{first}.bias": tensors[f"{first}.bias"] + np.einsum("omhw,m->o", kernel, shift),
    }
    kept = {key: value for key, value in tensors.items() if not key.startswith(f"{color}.")}
    return kept | folded
