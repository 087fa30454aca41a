"""Computes the distance of every window of an image from a space of patches, by correlations.

With n pixels in a window and its standardized pixels x, all of |x|^2, mean^T x and W^T x are
correlations of the image, and of its square, with fixed kernels, which the FFT computes.
"""

from typing import NamedTuple

import numpy as np
import scipy.fft
from jaxtyping import Array, Bool, Float, Float64

from lecture_models.linear.pca import PCA

Image = Float[Array | np.ndarray, "height width"]
Map = Float64[np.ndarray, "row column"]


class PatchSpace(NamedTuple):
    """Describes a space of patches.

    Attributes:
        pca: mean and components of the patches' pixels inside the region, row by row.
        region: the pixels of a window that count, (height, width).
        least_deviation: windows of less contrast are infinitely far: they show nothing. Windows are
            standardized before they are compared; None compares them as they are.
        noise: None for the distance from the space. Above 0, it is the variance of a pixel about
            the space, and windows are compared by their density under a normal distribution.
    """

    pca: PCA
    region: Bool[np.ndarray, "height width"]
    least_deviation: float | None
    noise: float | None = None


def window_distances(image: Image, space: PatchSpace) -> Map:
    """Returns the squared distance from the space of the window at each position.

    With noise it is -2 log p(x) of the window's pixels x up to a constant,

    e^2 / noise + sum_j z_j^2 / variance_j + sum_j log variance_j + (n - k) log noise,

    where e is the distance from the space and z are the k coordinates in it: Moghaddam and
    Pentland, 1997, Probabilistic visual learning for object representation, equations 8 and 9.

    Args:
        image: gray levels, at least as large as the region.
        space: the space of patches, whose region has n pixels that count.

    Returns:
        The squared distance by the position of a window's top left corner; for standardized windows
        at most about 4 n, and infinite where there is no contrast. Turk and Pentland, 1991,
        equation 12, "face map".

    Raises:
        ValueError: the image is smaller than a window.
    """
    height, width = space.region.shape
    if image.shape[0] < height or image.shape[1] < width:
        raise ValueError(
            f"the image is {image.shape[0]}x{image.shape[1]}; it must be at least {height}x{width}"
        )
    pca, count = space.pca, int(space.region.sum())
    pixels, kernels = np.asarray(image, np.float64), _kernels(space)
    sums, along_mean, *along = correlate(pixels, kernels)
    (square_sums,) = correlate(pixels**2, kernels[:1])
    means, deviations = 0.0, 1.0
    energy = square_sums
    if space.least_deviation is not None:
        means = sums / count
        variances = (square_sums / count - means**2).clip(0.0)
        deviations = np.sqrt(variances.clip(space.least_deviation**2))
        energy = count * variances / deviations**2
    totals = kernels[1:].sum(axis=(1, 2))
    along_mean = (along_mean - means * totals[0]) / deviations
    origin = np.asarray(pca.mean, np.float64) @ pca.components
    distances = energy - 2.0 * along_mean + np.sum(np.asarray(pca.mean, np.float64) ** 2)
    within, spreads = 0.0, _spreads(pca)
    for values, total, zero, spread in zip(along, totals[1:], origin, spreads, strict=True):
        squares = ((values - means * total) / deviations - zero) ** 2
        distances -= squares
        within += squares / spread
    distances = distances.clip(0.0)
    if space.noise is not None:
        constant = np.log(spreads).sum() + (count - len(spreads)) * np.log(space.noise)
        distances = distances / space.noise + within + constant
    if space.least_deviation is not None:
        distances[variances < space.least_deviation**2] = np.inf
    return distances


def _kernels(space: PatchSpace) -> Float64[np.ndarray, "kernel height width"]:
    """Returns the region, the mean and the components as pictures."""
    kernels = np.zeros((2 + space.pca.components.shape[1], *space.region.shape))
    kernels[0] = space.region
    kernels[1:, space.region] = np.concatenate([space.pca.mean[None, :], space.pca.components.T])
    return kernels


def _spreads(pca: PCA) -> Float64[np.ndarray, " component"]:
    return np.maximum(np.asarray(pca.variances, np.float64), 1e-12)


def correlate(
    image: Image, kernels: Float64[np.ndarray, "kernel kernel_height kernel_width"]
) -> Float64[np.ndarray, "kernel row column"]:
    """Returns the correlation of an image with kernels, where they lie within the image.

    Args:
        image: the image.
        kernels: one or more kernels, at most as large as the image.

    Returns:
        The sums of products by the position of a kernel's top left corner.
    """
    shape = tuple(scipy.fft.next_fast_len(side, real=True) for side in image.shape)
    spectrum = scipy.fft.rfft2(np.asarray(image, np.float64), shape)
    products = spectrum[None] * np.conj(scipy.fft.rfft2(kernels, shape))
    rows, columns = (
        side - kernel + 1 for side, kernel in zip(image.shape, kernels.shape[1:], strict=True)
    )
    return scipy.fft.irfft2(products, shape)[:, :rows, :columns]
