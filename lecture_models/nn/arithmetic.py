"""Sizes of convolutions by the formulas of the lectures, and the two meanings of convolution."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float


def output_size(size: int, filter: int, stride: int = 1, padding: int = 0) -> int:
    """(W - F + 2P) / S + 1: positions of a filter along one side of the input.

    Raises ValueError where the filter does not fit, the result is no whole number, or an argument
    is out of range: 7 and a filter of 3 at stride 3 give 2.33.
    """
    for name, value, least in (
        ("size", size, 1),
        ("filter", filter, 1),
        ("stride", stride, 1),
        ("padding", padding, 0),
    ):
        if value < least:
            raise ValueError(f"{name} is {value}; it must be at least {least}")
    span = size - filter + 2 * padding
    given = f"size {size}, filter {filter}, stride {stride}, padding {padding}"
    if span < 0:
        raise ValueError(f"{given}: the filter is larger than the padded input")
    if span % stride:
        exact = f"{span / stride + 1:.2f}"
        raise ValueError(f"{given}: ({size} - {filter} + {2 * padding}) / {stride} + 1 = {exact}")
    return span // stride + 1


def same_padding(filter: int) -> int:
    """(F - 1) / 2: the zeros on each side that keep the size at stride 1.

    Raises ValueError for an even filter, which has no such number.
    """
    if filter < 1 or filter % 2 == 0:
        raise ValueError(f"filter is {filter}; it must be odd to keep the size")
    return (filter - 1) // 2


def stacked_filter(*filters: int) -> int:
    """1 + sum of (F - 1): the one filter that sees what a stack at stride 1 sees.

    Two of 3 see 5, three see 7. Simonyan and Zisserman, 2015, section 2.3.
    """
    return 1 + sum(filter - 1 for filter in filters)


def correlate(
    image: Float[Array, "height width"], kernel: Float[Array, "rows columns"]
) -> Float[Array, "valid_height valid_width"]:
    """G[i, j] = sum over u, v of H[u, v] F[i + u, j + v]: what a convolutional layer computes.

    H is the kernel, F the image; only positions where the kernel lies inside the image.
    """
    return jax.lax.conv(image[None, None], kernel[None, None], (1, 1), "VALID")[0, 0]


def convolve(
    image: Float[Array, "height width"], kernel: Float[Array, "rows columns"]
) -> Float[Array, "valid_height valid_width"]:
    """G[i, j] = sum over u, v of H[u, v] F[i - u, j - v]: convolution in the sense of mathematics.

    H is the kernel, F the image. It is the correlation with the kernel turned by 180 degrees, and
    it alone is commutative.
    """
    return correlate(image, jnp.flip(kernel))
