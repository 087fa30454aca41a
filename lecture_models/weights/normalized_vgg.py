"""Normalizes VGG, so that every feature map has the mean activation 1."""

from collections.abc import Mapping
from typing import Any

import numpy as np


def normalize(variables: Any, means: Mapping[str, np.ndarray]) -> Any:
    """Multiplies a kernel by the means of its input maps, and divides it by those of its outputs.

    Rectifiers and poolings commute with positive factors, so only the scale of the maps changes.
    Source: Gatys, Ecker and Bethge, 2016, section 2.

    Args:
        variables: those of a VGG.
        means: by layer, beginning with "conv1_1", the mean of each of its rectified maps over many
            images and positions.

    Returns:
        The variables of the layers that are in `means`. The input of `conv1_1` is not scaled.
    """
    incoming, normalized = np.ones(3, np.float32), {}
    for layer in sorted(set(means) & set(variables["params"])):
        outgoing = means[layer]
        kernel, bias = (np.asarray(variables["params"][layer][part]) for part in ("kernel", "bias"))
        scale = incoming[None, None, :, None] / outgoing[None, None, None, :]
        normalized[layer] = {"kernel": kernel * scale, "bias": bias / outgoing}
        incoming = outgoing
    return {"params": normalized}
