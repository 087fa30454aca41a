"""Published tensors by their public keys -> the parameter trees of the models here."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import jax
import numpy as np
from flax.traverse_util import flatten_dict, unflatten_dict

from lecture_models.weights.error import WeightsError

# The last part of a path here, and of a public key: those of PyTorch, which most files use.
_SUFFIXES = {
    "kernel": "weight",
    "bias": "bias",
    "scale": "weight",  # Of a batch normalization.
    "mean": "running_mean",
    "var": "running_var",
}
_COUNTER = "num_batches_tracked"  # Of PyTorch's batch normalization, which needs none here.


class Layout(NamedTuple):
    """How the layers of a network are named in public files.

    - `names`: the layer here ("block1/expand") and its public names, of which a file has one.
    - `maps`: dense layers that read maps, and the maps' (height, width, channel). Here they are
      flattened in this order; in public files channel comes first.
    - `aside`: beginnings of public keys that are of no use here, such as those of a classifier.
    """

    names: Mapping[str, tuple[str, ...]]
    maps: Mapping[str, tuple[int, int, int]] = {}
    aside: tuple[str, ...] = ()


class _Fit(NamedTuple):
    """What was found wrong, one phrase each."""

    missing: list[str]
    shapes: list[str]
    not_finite: list[str]


def convert(tensors: Mapping[str, np.ndarray], layout: Layout, expected: Any, title: str) -> Any:
    """The variables of a network, of the structure and shapes of `expected`.

    Kernels change from (out, in, height, width) to (height, width, in, out), and those of dense
    layers from (out, in) to (in, out). `expected` has the shapes, as `jax.eval_shape` gives them.

    Raises WeightsError with every key that is missing, unexpected, of a wrong shape or not finite,
    all in one line that begins with `title`.
    """
    left = {key for key in tensors if not key.startswith(layout.aside) or not layout.aside}
    fit, found = _Fit([], [], []), {}
    for path, leaf in flatten_dict(expected, sep="/").items():
        _, _, inner = path.partition("/")
        layer, _, kind = inner.rpartition("/")
        keys = [f"{name}.{_SUFFIXES[kind]}" for name in layout.names.get(layer, (layer,))]
        key = next((key for key in keys if key in tensors), None)
        if key is None:
            fit.missing.append(" or ".join(keys))
            continue
        left.discard(key)
        value = _arrange(tensors[key], leaf.shape, layout.maps.get(layer))
        if value is None:
            wanted = " or ".join(map(str, _public_shapes(leaf.shape, layout.maps.get(layer))))
            fit.shapes.append(f"{key} is {tensors[key].shape} and must be {wanted}")
        elif not np.isfinite(value).all():
            fit.not_finite.append(key)
        else:
            found[path] = value
    unexpected = sorted(key for key in left if not key.endswith(_COUNTER))
    if complaints := list(_complaints(fit, unexpected)):
        raise WeightsError(f"{title}: {'; '.join(complaints)}")
    return jax.tree.map(jax.numpy.asarray, unflatten_dict(found, sep="/"))


def _complaints(fit: _Fit, unexpected: list[str]) -> Iterator[str]:
    parts = {
        "missing": fit.missing,
        "unexpected": unexpected,
        "wrong shapes": fit.shapes,
        "not finite": fit.not_finite,
    }
    for name, keys in parts.items():
        if keys:
            yield f"{name} ({len(keys)}): {', '.join(keys)}"


def _public_shapes(shape: tuple, maps: tuple | None) -> list[tuple]:
    """The public shapes that become `shape`: one or two."""
    if len(shape) == 1:
        return [shape]
    if len(shape) == 4:
        return [(shape[3], shape[2], *shape[:2])]
    inputs, outputs = shape
    height, width, channel = maps or (1, 1, inputs)
    # As a convolution of the whole map, too.
    return [(outputs, inputs), (outputs, channel, height, width)]


def _arrange(value: np.ndarray, shape: tuple, maps: tuple | None) -> np.ndarray | None:
    """The public tensor in the order here; None where its shape is another."""
    if value.shape not in _public_shapes(shape, maps):
        return None
    if len(shape) == 1:
        return value
    if len(shape) == 2:
        height, width, channel = maps or (1, 1, shape[0])
        value = value.reshape(-1, channel, height, width)
    return value.transpose(2, 3, 1, 0).reshape(shape)
