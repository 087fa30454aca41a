"""The normalized VGG: the same network with every rectified map brought to a mean of 1."""

from collections.abc import Mapping
from typing import Any

import numpy as np


def normalize(variables: Any, means: Mapping[str, np.ndarray]) -> Any:
    """Kernels times the mean of each map that comes in, over that of each that goes out.

    `means` has, for "conv1_1" and on, the mean of each map after its rectifier over many pictures
    and places; layers that it lacks are left out of the result. What comes into `conv1_1` is not
    scaled. Rectifiers and poolings commute with positive factors, so only the scale of the maps
    changes: Gatys, Ecker and Bethge, 2016, section 2.
    """
    incoming, found = np.ones(3, np.float32), {}
    for layer in sorted(set(means) & set(variables["params"])):
        outgoing = means[layer]
        kernel, bias = (np.asarray(variables["params"][layer][part]) for part in ("kernel", "bias"))
        scale = incoming[None, None, :, None] / outgoing[None, None, None, :]
        found[layer] = {"kernel": kernel * scale, "bias": bias / outgoing}
        incoming = outgoing
    return {"params": found}
