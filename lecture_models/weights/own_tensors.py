"""Reads the parameters of a network of the user's own from a safetensors file."""

import difflib
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np
from flax.traverse_util import flatten_dict, unflatten_dict

from lecture_models.weights import tensors
from lecture_models.weights.conversion import Layout, convert
from lecture_models.weights.error import WeightsError

_MOST_SHOWN = 6  # Names of a long list in a message.


def read_variables(path: Path, expected: Any, layout: Layout | None = None) -> Any:
    """Returns the variables of a network from a file.

    The names are those of the network's tree, joined by slashes or dots, with or without the
    collection in front: `params/conv1/kernel`, `params.conv1.kernel` or `conv1/kernel`.

    Args:
        path: the safetensors file.
        expected: the tree of shapes that `jax.eval_shape` returns for the variables.
        layout: names and maps of a file that PyTorch wrote, whose kernels are transposed; None for
            a file with Flax's shapes.

    Raises:
        WeightsError: the file cannot be read, or its names, shapes or values are wrong; one line
            with what was found and what must be there.
    """
    found = tensors.read(path)
    if layout is not None:
        return convert(found, layout, expected, f"{path} does not fit the network")
    shapes = {key: leaf.shape for key, leaf in flatten_dict(expected, sep="/").items()}
    by_name = {_whole_name(key, shapes): key for key in found}
    missing = [key for key in shapes if key not in by_name]
    unknown = [key for name, key in by_name.items() if name not in shapes]
    if missing or unknown:
        raise WeightsError(f"{path} does not fit the network: {_names(missing, unknown)}")
    wrong = [
        f"{key} is {found[by_name[key]].shape} and must be {shape}"
        for key, shape in shapes.items()
        if found[by_name[key]].shape != shape
    ]
    if wrong:
        raise WeightsError(f"{path} does not fit the network: {_some(wrong)}")
    bad = [key for key in shapes if not np.isfinite(found[by_name[key]]).all()]
    if bad:
        raise WeightsError(f"{path} has values that are not finite: {_some(bad)}")
    flat = {key: jnp.asarray(found[by_name[key]]) for key in shapes}
    return unflatten_dict(flat, sep="/")


def _whole_name(key: str, shapes: dict[str, tuple[int, ...]]) -> str:
    """Returns the name that a file's key means: `conv1.kernel` is `params/conv1/kernel`."""
    name = key.replace(".", "/")
    kinds = dict.fromkeys(full.partition("/")[0] for full in shapes)
    candidates = [name, *(f"{kind}/{name}" for kind in kinds)]
    return next((candidate for candidate in candidates if candidate in shapes), name)


def _names(missing: list[str], unknown: list[str]) -> str:
    parts = []
    if missing:
        near = [difflib.get_close_matches(name, unknown, n=1) for name in missing]
        hints = [
            f"{name} (the file has {match[0]})" if match else name
            for name, match in zip(missing, near, strict=True)
        ]
        parts.append(f"missing ({len(missing)}): {_some(hints)}")
    if unknown:
        parts.append(f"unexpected ({len(unknown)}): {_some(unknown)}")
    return "; ".join(parts)


def _some(names: list[str]) -> str:
    more = len(names) - _MOST_SHOWN
    return ", ".join(names[:_MOST_SHOWN]) + (f" and {more} more" if more > 0 else "")
