"""Estimates the density of bits with kernels around examples, one flip probability at a time."""

import math

import numpy as np
from jaxtyping import Float
from scipy.special import logsumexp

CHUNK = 250  # Points at a time; with 50,000 examples their distances take 50 MB.

Bits = Float[np.ndarray, "_ variable"]


def bit_kernel_log_density(
    points: Bits, examples: Bits, flip_probabilities: tuple[float, ...]
) -> Float[np.ndarray, "probability point"]:
    """Returns log p(x) under copies of the examples whose bits are flipped at random.

    p(x) = mean_i q^h_i (1 - q)^(D - h_i), h_i = the number of bits in which x and example i differ

    Its logarithm is that of a Gaussian kernel density with bandwidth b, exp(-1 / (2 b^2)) =
    q / (1 - q), divided by the sum of that density over all bits. Thus it is an exact distribution
    over images of bits, which can be compared with other models of them.

    Args:
        points: the points x, of 0 and 1.
        examples: the examples, of 0 and 1.
        flip_probabilities: the values of q, between 0 and 1/2.

    Returns:
        One row per q and one value per point, in nats. Aitchison and Aitken, "Multivariate binary
        discrimination by the kernel method", 1976, Eq. 2.

    Raises:
        ValueError: a probability is not between 0 and 1/2.
    """
    if not all(0.0 < probability < 0.5 for probability in flip_probabilities):
        raise ValueError(
            f"flip probabilities are {flip_probabilities}; they must be between 0 and 0.5"
        )
    odds = [math.log(q / (1.0 - q)) for q in flip_probabilities]
    chunks = [
        _log_sums(points[first : first + CHUNK], examples, odds)
        for first in range(0, len(points), CHUNK)
    ]
    kept = [points.shape[1] * math.log1p(-q) for q in flip_probabilities]
    offsets = np.asarray(kept, np.float32) - math.log(len(examples))
    return np.concatenate(chunks, axis=1) + offsets[:, None]


def sample(
    examples: Bits, flip_probability: float, generator: np.random.Generator, count: int
) -> Bits:
    """Draws copies of examples with bits flipped at random.

    Args:
        examples: the examples, of 0 and 1.
        flip_probability: q, from 0 to 1.
        generator: a random generator.
        count: the number of samples.

    Returns:
        Rows of 0 and 1.
    """
    chosen = examples[generator.integers(0, len(examples), count)]
    flips = generator.random(chosen.shape, np.float32) < flip_probability
    return np.where(flips, 1.0 - chosen, chosen)


def _log_sums(
    points: Bits, examples: Bits, odds: list[float]
) -> Float[np.ndarray, "probability _"]:
    # h = sum x + sum e - 2 x.e takes one matrix product; counts are exact in float32.
    different = points.sum(1)[:, None] + examples.sum(1)[None, :] - 2.0 * (points @ examples.T)
    return np.stack([logsumexp(np.float32(value) * different, axis=1) for value in odds])
