"""Computes convolutions of one and two dimensions as sums, matrices and Fourier transforms.

All of it works for any number of dimensions; `convolution_stack.py` has the layers of networks.
"""

import functools
import math
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from lecture_models.nn.arithmetic import output_size

Signal = Float[Array, "..."]
MODES = ("full", "same", "valid")


class RankOne(NamedTuple):
    """Holds the best separable approximation of a kernel: the outer product of two vectors.

    Attributes:
        column: the vertical kernel.
        row: the horizontal kernel.
        share: the share of the kernel's squared sum that the product has; 1 for a separable one.
    """

    column: Float[Array, " rows"]
    row: Float[Array, " columns"]
    share: Float[Array, ""]


@functools.partial(jax.jit, static_argnames="mode")
def convolve_sum(signal: Signal, kernel: Signal, mode: str = "full") -> Signal:
    """Returns the convolution by its definition.

    s[t] = sum_a x[a] w[t - a]; G[i, j] = sum_u sum_v H[u, v] F[i - u, j - v]

    Each element of the kernel adds a copy of the signal, shifted by its index.

    Args:
        signal: x, or the image F; any number of dimensions.
        kernel: w, or the kernel H; the same number of dimensions.
        mode: "full" for all positions with overlap; "same" for the central ones, as many as the
            signal has; "valid" for those where the kernel lies inside the signal.

    Returns:
        The convolution; the convention of `scipy.signal.convolve`.

    Raises:
        ValueError: the numbers of dimensions differ, the mode is unknown, or the kernel does not
            fit into the signal in mode "valid".
    """
    _check(signal, kernel, mode)
    total = 0.0
    for index in np.ndindex(kernel.shape):
        after = np.subtract(kernel.shape, 1) - index
        total = total + jnp.pad(kernel[index] * signal, tuple(zip(index, after, strict=True)))
    return crop_full(total, signal.shape, kernel.shape, mode)


def correlate_sum(signal: Signal, kernel: Signal, mode: str = "full") -> Signal:
    """Returns the cross-correlation, which a convolutional layer computes: the kernel is flipped.

    s[t] = sum_i x[t + i] w[i]

    Args:
        signal: x.
        kernel: w.
        mode: see `convolve_sum`.

    Returns:
        The correlation.
    """
    return convolve_sum(signal, jnp.flip(kernel), mode)


def convolve_fourier(signal: Signal, kernel: Signal, mode: str = "full") -> Signal:
    """Returns the convolution as a product of Fourier transforms, padded so that nothing wraps.

    Args:
        signal: x.
        kernel: w.
        mode: see `convolve_sum`.

    Returns:
        The convolution, up to rounding.
    """
    _check(signal, kernel, mode)
    shape = tuple(np.add(signal.shape, kernel.shape) - 1)
    product = jnp.fft.rfftn(signal, shape) * jnp.fft.rfftn(kernel, shape)
    return crop_full(jnp.fft.irfftn(product, shape), signal.shape, kernel.shape, mode)


def crop_full(
    full: Signal, signal_shape: tuple[int, ...], kernel_shape: tuple[int, ...], mode: str
) -> Signal:
    """Returns the part of a full convolution that a mode keeps.

    Args:
        full: the convolution at all positions with overlap.
        signal_shape: the shape of the signal.
        kernel_shape: the shape of the kernel.
        mode: see `convolve_sum`.

    Returns:
        The central part: n + m - 1, n or n - m + 1 elements along each axis.
    """
    if mode == "full":
        return full
    inside = np.subtract(kernel_shape, 1)
    sizes = signal_shape if mode == "same" else np.subtract(signal_shape, inside)
    starts = inside // 2 if mode == "same" else inside
    return full[tuple(slice(a, a + n) for a, n in zip(starts, sizes, strict=True))]


@jax.jit
def shared_weight_gradient(signal: Signal, by_output: Signal) -> Signal:
    """Returns the gradient of the weights that all positions of a layer share.

    dL/dw_i = sum_j dL/dy_j dy_j/dw_i, where y_j = sum_i w_i x_{j + i}, so that dy_j/dw_i = x_{j+i}

    It is the correlation of the input with the gradient of the output.

    Args:
        signal: the input x of the layer.
        by_output: dL/dy, at the positions where the kernel lies inside the input.

    Returns:
        dL/dw, of the shape of the kernel.
    """
    shape = np.subtract(signal.shape, by_output.shape) + 1
    sums = [
        (by_output * signal[tuple(map(_window, index, by_output.shape))]).sum()
        for index in np.ndindex(*shape)
    ]
    return jnp.stack(sums).reshape(shape)


def input_gradient(kernel: Signal, by_output: Signal) -> Signal:
    """Returns the gradient of a layer's input.

    dL/dx_k = sum_j dL/dy_j w_{k - j}: the full convolution of dL/dy with the kernel, unflipped.

    Args:
        kernel: w of the layer y_j = sum_i w_i x_{j + i}.
        by_output: dL/dy.

    Returns:
        dL/dx, of the shape of the input.
    """
    return convolve_sum(by_output, kernel, "full")


def toeplitz_matrix(kernel: Signal, signal_shape: tuple[int, ...]) -> Float[Array, "output input"]:
    """Returns the matrix whose product with a flattened signal is its full convolution.

    T[t, a] = w[t - a]: constant along each diagonal; for images a Toeplitz matrix of blocks, each a
    Toeplitz matrix.

    Args:
        kernel: w.
        signal_shape: the shape of the signal.

    Returns:
        The matrix; its rows are the positions of the output and its columns those of the signal,
        row by row.
    """
    out_shape = np.add(signal_shape, kernel.shape) - 1
    ends, starts = (
        np.stack(np.unravel_index(np.arange(math.prod(shape)), shape), -1)
        for shape in (tuple(out_shape), tuple(signal_shape))
    )
    lags = ends[:, None, :] - starts[None, :, :]
    is_inside = ((lags >= 0) & (lags < np.reshape(kernel.shape, (1, 1, -1)))).all(-1)
    weights = kernel[tuple(np.moveaxis(np.where(is_inside[..., None], lags, 0), -1, 0))]
    return jnp.where(is_inside, weights, 0.0)


def im2col(
    images: Float[Array, "batch height width channel"], window: int, stride: int = 1
) -> Float[Array, "batch rows columns patch"]:
    """Returns every patch of the images as a vector, so that a layer becomes a matrix product.

    Args:
        images: the images, already padded.
        window: the side of a patch in pixels.
        stride: the step between patches in pixels.

    Returns:
        The patches; the order within one is row, column, channel.

    Raises:
        ValueError: the patches do not fit: see `arithmetic.output_size`.
    """
    height, width = (output_size(side, window, stride) for side in images.shape[1:3])
    rows, columns = (
        np.arange(window)[None] + stride * np.arange(n)[:, None] for n in (height, width)
    )
    patches = images[:, rows[:, None, :, None], columns[None, :, None, :]]
    return patches.reshape(len(images), height, width, -1)


def layer_by_im2col(
    images: Float[Array, "batch height width channel"],
    kernels: Float[Array, "window window channel filter"],
    stride: int = 1,
) -> Float[Array, "batch rows columns filter"]:
    """Returns a convolutional layer without bias as one matrix product.

    Args:
        images: the input, already padded.
        kernels: the filters.
        stride: the step between positions in pixels.

    Returns:
        The output maps.
    """
    patches = im2col(images, len(kernels), stride)
    return patches @ kernels.reshape(-1, kernels.shape[-1])


def layer_gradient_by_im2col(
    images: Float[Array, "batch height width channel"],
    by_output: Float[Array, "batch rows columns filter"],
    window: int,
    stride: int = 1,
) -> Float[Array, "window window channel filter"]:
    """Returns the gradient of a layer's filters: the transposed patches times dL/dy.

    The sum over images and positions is the lecture's sum over all outputs that share a weight.

    Args:
        images: the input of the layer, already padded.
        by_output: dL/dy of the output maps.
        window: the side of a filter.
        stride: the step between positions in pixels.

    Returns:
        dL/dw.
    """
    patches = im2col(images, window, stride)
    flat = patches.reshape(-1, patches.shape[-1])
    filters = by_output.shape[-1]
    gradient = flat.T @ by_output.reshape(-1, filters)
    return gradient.reshape(window, window, images.shape[-1], filters)


def separate(kernel: Float[Array, "rows columns"]) -> RankOne:
    """Returns the best approximation of a kernel by one column times one row.

    A separable kernel of m x m needs 2 m products per pixel in place of m^2.

    Args:
        kernel: the kernel.

    Returns:
        The factors of the largest singular value, which share its square root.
    """
    left, scales, right = jnp.linalg.svd(kernel, full_matrices=False)
    root = jnp.sqrt(scales[0])
    return RankOne(root * left[:, 0], root * right[0], scales[0] ** 2 / (scales**2).sum())


def _window(first: int, length: int) -> slice:
    return slice(first, first + length)


def _check(signal: Signal, kernel: Signal, mode: str) -> None:
    if mode not in MODES:
        raise ValueError(f"mode is {mode!r}; allowed: {', '.join(MODES)}")
    if signal.ndim != kernel.ndim or 0 in (*signal.shape, *kernel.shape):
        raise ValueError(
            f"signal and kernel have shapes {signal.shape} and {kernel.shape}; both must have "
            "equally many axes, none of length 0"
        )
    if mode == "valid" and any(np.less(signal.shape, kernel.shape)):
        raise ValueError(f"a kernel of {kernel.shape} does not fit into a signal of {signal.shape}")
