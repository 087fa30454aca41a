"""Keeps parameters between runs that are slow to compute and the same every time."""

import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import numpy as np
from flax import traverse_util

from lecture_models import files

SEPARATOR = "/"


def cached_params(path: Path, compute: Callable[[], Any]) -> Any:
    """Reads parameters from a file, or computes and writes them.

    The cache never stops a run: a file that cannot be read is computed again, and a folder that
    cannot be written is ignored.

    Args:
        path: the `.npz` file.
        compute: computes the parameters, a nested dict of arrays.

    Returns:
        The parameters.
    """
    try:
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as arrays:
            return traverse_util.unflatten_dict(dict(arrays), sep=SEPARATOR)
    except (OSError, EOFError, ValueError, zipfile.BadZipFile):
        params = jax.device_get(compute())
    content = io.BytesIO()
    np.savez(content, **traverse_util.flatten_dict(params, sep=SEPARATOR))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        files.write_bytes(path, content.getvalue())
    except OSError:
        return params
    return params
