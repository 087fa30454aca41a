"""Computes the sizes of convolutions by the lectures' formulas, and convolution in both senses."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float


def output_size(size: int, filter: int, stride: int = 1, padding: int = 0) -> int:
    """Returns the number of positions of a filter along one side of the input.

    (W - F + 2P) / S + 1

    Args:
        size: the input's side W in pixels, at least 1.
        filter: the filter's side F in pixels, at least 1.
        stride: the step S between positions in pixels, at least 1.
        padding: the pixels P that are added on each side, at least 0.

    Returns:
        The output's side in pixels.

    Raises:
        ValueError: an argument is out of range, the filter is larger than the padded input, or the
            result is not a whole number: a size of 7 and a filter of 3 at stride 3 give 2.33.
    """
    for name, value, least in (
        ("size", size, 1),
        ("filter", filter, 1),
        ("stride", stride, 1),
        ("padding", padding, 0),
    ):
        if value < least:
            raise ValueError(f"{name} is {value}; it must be at least {least}")
    exact = exact_output_size(size, filter, stride, padding)
    arguments = f"size {size}, filter {filter}, stride {stride}, padding {padding}"
    if exact < 1.0:
        raise ValueError(f"{arguments}: the filter is larger than the padded input")
    if exact != int(exact):
        raise ValueError(
            f"{arguments}: ({size} - {filter} + {2 * padding}) / {stride} + 1 = {exact:.2f}; it "
            "must be a whole number"
        )
    return int(exact)


def exact_output_size(size: int, filter: int, stride: int = 1, padding: int = 0) -> float:
    """Returns (W - F + 2P) / S + 1, which is a fraction where no such layer exists.

    Args:
        size: the input's side W in pixels.
        filter: the filter's side F in pixels.
        stride: the step S between positions in pixels.
        padding: the pixels P that are added on each side.

    Returns:
        The output's side in pixels; below 1 where the filter is larger than the padded input.
    """
    return (size - filter + 2 * padding) / stride + 1.0


def same_padding(filter: int) -> int:
    """Returns the padding of each side that keeps the size at stride 1.

    (F - 1) / 2

    Args:
        filter: the filter's side F in pixels; odd.

    Returns:
        The number of pixels to add on each side.

    Raises:
        ValueError: the filter's side is even or below 1; for an even side there is no such padding.
    """
    if filter < 1 or filter % 2 == 0:
        raise ValueError(f"filter is {filter}; it must be odd to keep the size")
    return (filter - 1) // 2


def stacked_filter(*filters: int) -> int:
    """Returns the side of the single filter that sees as much as a stack of filters at stride 1.

    1 + sum of (F - 1)

    Args:
        *filters: the side F of each filter of the stack in pixels.

    Returns:
        The side in pixels: 5 for two filters of 3, 7 for three. Simonyan and Zisserman, 2015,
        section 2.3.
    """
    return 1 + sum(filter - 1 for filter in filters)


def correlate(
    image: Float[Array, "height width"], kernel: Float[Array, "rows columns"]
) -> Float[Array, "valid_height valid_width"]:
    """Returns the cross-correlation, which a convolutional layer computes.

    G[i, j] = sum over u, v of H[u, v] F[i + u, j + v]

    Args:
        image: the image F.
        kernel: the filter H.

    Returns:
        G at the positions where the filter lies inside the image.
    """
    return jax.lax.conv(image[None, None], kernel[None, None], (1, 1), "VALID")[0, 0]


def convolve(
    image: Float[Array, "height width"], kernel: Float[Array, "rows columns"]
) -> Float[Array, "valid_height valid_width"]:
    """Returns the convolution as mathematics defines it.

    G[i, j] = sum over u, v of H[u, v] F[i - u, j - v]

    It equals `correlate` with the filter rotated by 180 degrees; unlike `correlate` it is
    commutative.

    Args:
        image: the image F.
        kernel: the filter H.

    Returns:
        G at the positions where the filter lies inside the image.
    """
    return correlate(image, jnp.flip(kernel))
