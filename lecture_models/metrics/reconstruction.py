"""How near reconstructions are to their images, in decibels and side by side."""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

Images = Float[Array | np.ndarray, "batch height width channel"]


def psnr(reconstructions: Images, images: Images) -> Float[Array, " batch"]:
    """10 log10(1 / mean_i (y_i - x_i)^2) in dB, on [0, 1] pixels; more is better.

    Reconstructions are clipped to [-1, 1] first, as they are when shown. 20 dB where every pixel
    is off by 0.1; infinite for equal images.
    """
    errors = (jnp.clip(reconstructions, -1.0, 1.0) - images) / 2.0
    return -10.0 * jnp.log10(jnp.mean(errors**2, axis=(1, 2, 3)))


def originals_above(
    *rows: Float[Array | np.ndarray, "_ height width channel"], columns: int
) -> Float[np.ndarray, "picture height width channel"]:
    """`columns` originals, under each its reconstruction of every further kind, and so on.

    `rows` are equally many pictures of each kind. For a grid of that many columns; the places
    that are left in the last ones stay mid-gray. Raises ValueError where the kinds differ in shape
    or `columns` is below 1.
    """
    shapes = [np.shape(pictures) for pictures in rows]
    if len(set(shapes)) != 1 or columns < 1:
        raise ValueError(
            f"pictures of shapes {shapes} in {columns} columns; shapes must be equal and columns "
            "at least 1"
        )
    kinds = np.stack([np.asarray(pictures) for pictures in rows])
    count = kinds.shape[1]
    groups = -(-count // columns)
    filled = np.pad(kinds, ((0, 0), (0, groups * columns - count), (0, 0), (0, 0), (0, 0)))
    picture_shape = kinds.shape[2:]
    grid = filled.reshape(len(rows), groups, columns, *picture_shape).swapaxes(0, 1)
    return grid.reshape(-1, *picture_shape)
