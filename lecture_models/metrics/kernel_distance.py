"""Computes the kernel distance (KID) between two sets of features."""

import numpy as np
from jaxtyping import Array, Float, Float64

BLOCK_SIZE = 1_000  # Examples of a block.


def kernel_distance(
    features_a: Float[Array | np.ndarray, "example_a feature_a"],
    features_b: Float[Array | np.ndarray, "example_b feature_b"],
    block_size: int = BLOCK_SIZE,
) -> float:
    """Returns the mean over blocks of the unbiased squared maximum mean discrepancy.

    MMD^2 = mean k(a, a') + mean k(b, b') - 2 mean k(a, b),  k(x, y) = (x.y / d + 1)^3

    where a, a' and b, b' are different examples and d is the number of features. There are as
    many blocks as `block_size` examples fit, and block i of n holds examples i, i + n, i + 2n, ...
    of each set, so that a data set whose order means something (the second half of MNIST's test
    images comes from other writers) is spread over all blocks. Unlike Frechet's distance the
    estimate has no bias, so that few samples may be used; it can be slightly negative.

    Args:
        features_a: one row of features per example.
        features_b: the features of the other set, of the same dimension.
        block_size: examples per block; smaller sets are one block.

    Returns:
        The distance; 0 for equal distributions, lower is better. Binkowski et al., "Demystifying
        MMD GANs", 2018, section 3 (KID where the features are those of Inception).

    Raises:
        ValueError: a set or the block size has fewer than two examples, a feature is not finite,
            or the sets differ in dimension.
    """
    a, b = np.asarray(features_a, np.float64), np.asarray(features_b, np.float64)
    if a.shape[1] != b.shape[1]:
        raise ValueError(
            f"features have {a.shape[1]} and {b.shape[1]} dimensions; the numbers must be equal"
        )
    size = min(len(a), len(b), block_size)
    if size < 2:
        raise ValueError(f"a kernel distance needs blocks of at least 2 examples; it has {size}")
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        raise ValueError("features must be finite")
    count = min(len(a), len(b)) // size
    blocks = ((a[index::count][:size], b[index::count][:size]) for index in range(count))
    return float(np.mean([_unbiased_mmd(*block) for block in blocks]))


def _unbiased_mmd(
    a: Float64[np.ndarray, "row feature"], b: Float64[np.ndarray, "row feature"]
) -> float:
    within = sum(_mean_off_diagonal(_kernel(x, x)) for x in (a, b))
    return within - 2.0 * _kernel(a, b).mean()


def _mean_off_diagonal(matrix: Float64[np.ndarray, "row row"]) -> float:
    size = len(matrix)
    return (matrix.sum() - np.trace(matrix)) / (size * (size - 1))


def _kernel(
    x: Float64[np.ndarray, "row feature"], y: Float64[np.ndarray, "column feature"]
) -> Float64[np.ndarray, "row column"]:
    return (x @ y.T / x.shape[1] + 1.0) ** 3
