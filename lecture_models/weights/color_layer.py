"""A 1x1 convolution of the three colors before a network, taken into its first layer."""

from collections.abc import Mapping

import numpy as np

from lecture_models.weights.error import WeightsError


def fold_color_layer(
    tensors: Mapping[str, np.ndarray], color: str, first: str
) -> dict[str, np.ndarray]:
    """K (C x + c) + k = (K C) x + (K c + k): the tensors without the layer `color`.

    Exact where nothing that is no picture comes between the two, so not with a padding of zeros;
    mirrored borders are pictures. Raises WeightsError where a tensor of either is missing.
    """
    needed = [f"{layer}.{part}" for layer in (color, first) for part in ("weight", "bias")]
    if missing := [key for key in needed if key not in tensors]:
        raise WeightsError(f"the file is of another network: {', '.join(missing)} missing")
    mixing, shift = tensors[f"{color}.weight"][:, :, 0, 0], tensors[f"{color}.bias"]
    kernel = tensors[f"{first}.weight"]
    folded = {
        f"{first}.weight": np.einsum("omhw,mi->oihw", kernel, mixing),
        f"{first}.bias": tensors[f"{first}.bias"] + np.einsum("omhw,m->o", kernel, shift),
    }
    kept = {key: value for key, value in tensors.items() if not key.startswith(f"{color}.")}
    return kept | folded
