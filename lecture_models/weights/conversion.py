"""Converts published tensors into the parameter trees of this project's models."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import jax
import numpy as np
from flax.traverse_util import flatten_dict, unflatten_dict

from lecture_models.weights.error import WeightsError

# The last part of a path in the tree, and of the public key, which is PyTorch's in most files.
_SUFFIXES = {
    "kernel": "weight",
    "bias": "bias",
    "scale": "weight",  # In batch normalization.
    "mean": "running_mean",
    "var": "running_var",
}
_COUNTER = "num_batches_tracked"  # A counter of PyTorch's batch normalization, unused here.


class Layout(NamedTuple):
    """Maps the layers of a network to their names in public files.

    Attributes:
        names: by a layer of the model ("block1/expand"), its public names, of which a file has one.
            A layer that is not named has the same name in the file.
        maps: by a dense layer that reads feature maps, their (height, width, channel). This project
            flattens maps in this order; in public files the channel comes first.
        ignored: prefixes of public keys that are not used, such as those of a classifier.
    """

    names: Mapping[str, tuple[str, ...]]
    maps: Mapping[str, tuple[int, int, int]] = {}
    ignored: tuple[str, ...] = ()


class _Mismatch(NamedTuple):
    """Collects what is wrong, in one phrase each."""

    missing: list[str]
    shapes: list[str]
    not_finite: list[str]


def convert(tensors: Mapping[str, np.ndarray], layout: Layout, expected: Any, title: str) -> Any:
    """Returns the variables of a network.

    Kernels of convolutions change from (out, in, height, width) to (height, width, in, out), and
    those of dense layers from (out, in) to (in, out).

    Args:
        tensors: the public tensors by key.
        layout: names of the layers in the file.
        expected: the tree of shapes that `jax.eval_shape` returns for the variables.
        title: opens the error message.

    Raises:
        WeightsError: a key is missing or unexpected, or its value has a wrong shape or is not
            finite. The message names all of them, in one line.
    """
    unused = {key for key in tensors if not key.startswith(layout.ignored) or not layout.ignored}
    mismatch, variables = _Mismatch([], [], []), {}
    for path, leaf in flatten_dict(expected, sep="/").items():
        _, _, inner = path.partition("/")
        layer, _, kind = inner.rpartition("/")
        keys = [f"{name}.{_SUFFIXES[kind]}" for name in layout.names.get(layer, (layer,))]
        key = next((key for key in keys if key in tensors), None)
        if key is None:
            mismatch.missing.append(" or ".join(keys))
            continue
        unused.discard(key)
        value = _arrange(tensors[key], leaf.shape, layout.maps.get(layer))
        if value is None:
            allowed = " or ".join(map(str, _public_shapes(leaf.shape, layout.maps.get(layer))))
            mismatch.shapes.append(f"{key} is {tensors[key].shape} and must be {allowed}")
        elif not np.isfinite(value).all():
            mismatch.not_finite.append(key)
        else:
            variables[path] = value
    unexpected = sorted(key for key in unused if not key.endswith(_COUNTER))
    if complaints := list(_complaints(mismatch, unexpected)):
        raise WeightsError(f"{title}: {'; '.join(complaints)}")
    return jax.tree.map(jax.numpy.asarray, unflatten_dict(variables, sep="/"))


def _complaints(mismatch: _Mismatch, unexpected: list[str]) -> Iterator[str]:
    parts = {
        "missing": mismatch.missing,
        "unexpected": unexpected,
        "wrong shapes": mismatch.shapes,
        "not finite": mismatch.not_finite,
    }
    for name, keys in parts.items():
        if keys:
            yield f"{name} ({len(keys)}): {', '.join(keys)}"


def _public_shapes(shape: tuple, maps: tuple | None) -> list[tuple]:
    """Returns the one or two public shapes that become `shape`."""
    if len(shape) == 1:
        return [shape]
    if len(shape) == 4:
        return [(shape[3], shape[2], *shape[:2])]
    inputs, outputs = shape
    height, width, channel = maps or (1, 1, inputs)
    # Some files have a convolution of the whole map instead of the dense layer.
    return [(outputs, inputs), (outputs, channel, height, width)]


def _arrange(value: np.ndarray, shape: tuple, maps: tuple | None) -> np.ndarray | None:
    """Returns a public tensor in this project's order; None if its shape does not fit."""
    if value.shape not in _public_shapes(shape, maps):
        return None
    if len(shape) == 1:
        return value
    if len(shape) == 2:
        height, width, channel = maps or (1, 1, shape[0])
        value = value.reshape(-1, channel, height, width)
    return value.transpose(2, 3, 1, 0).reshape(shape)
