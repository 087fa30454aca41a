"""Makes public keys and shapes of a network, and tensors of noise for them."""

import numpy as np
from flax.traverse_util import flatten_dict

from lecture_models.weights.conversion import Layout

_SUFFIXES = {"scale": "weight", "mean": "running_mean", "var": "running_var", "bias": "bias"}


def public_shapes(expected, layout: Layout, choose: int = 0) -> dict[str, tuple[int, ...]]:
    """Returns shapes by public key; `choose` picks among several names of a layer."""
    found = {}
    for path, leaf in flatten_dict(expected, sep="/").items():
        layer, _, kind = path.partition("/")[2].rpartition("/")
        names = layout.names.get(layer, (layer,))
        shape = leaf.shape
        if kind == "kernel" and len(shape) == 4:
            shape = (shape[3], shape[2], *shape[:2])
        elif kind == "kernel":
            shape = shape[::-1]
        name = names[min(choose, len(names) - 1)]
        found[f"{name}.{_SUFFIXES.get(kind, 'weight')}"] = shape
    return found


def public_tensors(expected, layout: Layout, choose: int = 0) -> dict[str, np.ndarray]:
    random = np.random.default_rng(0)
    shapes = public_shapes(expected, layout, choose)
    return {key: random.uniform(0.1, 0.2, each).astype("f4") for key, each in shapes.items()}
