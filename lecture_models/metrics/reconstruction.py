"""Compares reconstructions with their images, in decibels and side by side."""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

Images = Float[Array | np.ndarray, "batch height width channel"]


def psnr(reconstructions: Images, images: Images) -> Float[Array, " batch"]:
    """Returns the peak signal-to-noise ratio of each reconstruction, on pixels in [0, 1].

    10 log10(1 / mean_i (y_i - x_i)^2)

    Args:
        reconstructions: the reconstructions y, clipped to [-1, 1] first, as when they are shown.
        images: the images x in [-1, 1].

    Returns:
        One value per image in dB, higher is better: 20 where every pixel is off by 0.1, infinite
        for equal images.
    """
    errors = (jnp.clip(reconstructions, -1.0, 1.0) - images) / 2.0
    return -10.0 * jnp.log10(jnp.mean(errors**2, axis=(1, 2, 3)))


def originals_above(
    *rows: Float[Array | np.ndarray, "_ height width channel"], columns: int
) -> Float[np.ndarray, "cell height width channel"]:
    """Orders images for a grid in which reconstructions are below their originals.

    Args:
        *rows: the originals, then their reconstructions of each kind, as many of every kind.
        columns: the number of columns of the grid.

    Returns:
        A row of originals, a row of each kind of reconstruction, the next originals, and so on.
        Empty cells at the end of the last rows are mid-gray.

    Raises:
        ValueError: the kinds differ in shape, or `columns` is below 1.
    """
    shapes = [np.shape(images) for images in rows]
    if len(set(shapes)) != 1 or columns < 1:
        raise ValueError(
            f"images have the shapes {shapes} in {columns} columns; the shapes must be equal and "
            "columns at least 1"
        )
    kinds = np.stack([np.asarray(images) for images in rows])
    count = kinds.shape[1]
    groups = -(-count // columns)
    filled = np.pad(kinds, ((0, 0), (0, groups * columns - count), (0, 0), (0, 0), (0, 0)))
    image_shape = kinds.shape[2:]
    grid = filled.reshape(len(rows), groups, columns, *image_shape).swapaxes(0, 1)
    return grid.reshape(-1, *image_shape)
