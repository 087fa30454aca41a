"""A function over more images than fit in memory at once, and top-1 accuracy."""

from collections.abc import Callable
from typing import Any

import jax
import numpy as np
from jaxtyping import Array, Float


def batched_apply(
    function: Callable[[Array], Any],
    images: Float[Array | np.ndarray, "image height width channel"],
    batch_size: int,
) -> Any:
    """The function's results for all images, as NumPy arrays, from batches of one size.

    The last batch is filled up with copies of its last image, whose results are dropped: so a
    jitted function is compiled once. The function must treat each image by itself (batch
    statistics held fixed) and return a pytree of arrays with the images along the first axis.

    Raises ValueError where there are no images or the batch size is below 1.
    """
    if len(images) == 0 or batch_size < 1:
        raise ValueError(
            f"{len(images)} images in batches of {batch_size}: both must be at least 1"
        )
    results = []
    for first in range(0, len(images), batch_size):
        batch = np.asarray(images[first : first + batch_size])
        count = len(batch)
        padded = np.pad(batch, ((0, batch_size - count), (0, 0), (0, 0), (0, 0)), mode="edge")
        output = function(jax.numpy.asarray(padded))
        results.append(jax.tree.map(lambda array, count=count: np.asarray(array)[:count], output))
    return jax.tree.map(lambda *arrays: np.concatenate(arrays), *results)
