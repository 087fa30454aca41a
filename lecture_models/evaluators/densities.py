"""Fits the simple densities that neural networks of images are compared with, and draws from them.

Some are distributions of images of bits: their nats can be compared with those of any other model
of the same bits. The others are densities of the images' principal components: their nats can be
compared with each other only, because a density has the unit of its space.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Key
from scipy.special import expit
from scipy.stats import multivariate_normal

from lecture_models.linear import bernoulli_mixture, bit_kernel_density, gaussian_mixture

Rows = Float[np.ndarray, "_ feature"]

EM_ROUNDING = 1e-3  # Nats; sums in float32 can lower an objective that EM has not lowered.
PSEUDO_COUNT = 0.1  # Of each bit in each component; 0 would make unseen bits impossible.
RIDGE = 1e-4  # Added to the variances of codes.
DENSITY_TOLERANCE = 1e-6  # Relative error that scikit-learn may make to skip far examples.


class FittedDensity(NamedTuple):
    """Describes a density that was fitted to training examples.

    Attributes:
        name: a short name, also the beginning of its metrics.
        chosen: what was chosen or done, as a phrase.
        log_density: maps rows to log p of each, in nats.
        num_parameters: how many numbers the density keeps, stored examples among them.
        draw: maps (generator, count) to samples, one per row.
        alarm: what went wrong, as a phrase; "" for nothing.
        templates: the mean of each component, the heaviest first; None where there are none.
    """

    name: str
    chosen: str
    log_density: Callable[[Rows], Float[np.ndarray, " _"]]
    num_parameters: int
    draw: Callable[[np.random.Generator, int], Rows]
    alarm: str = ""
    templates: Rows | None = None

    def nats(self, rows: Rows) -> float:
        """Returns the mean of -log p(x) over rows, lower is better."""
        return -float(np.mean(self.log_density(rows), dtype=np.float64))


def independent_bits(bits: Rows) -> FittedDensity:
    """Fits independent Bernoulli pixels.

    Args:
        bits: training examples of 0 and 1.

    Returns:
        The density: each pixel has its share of ones among the training examples.
    """
    density = _bit_mixture(np.random.default_rng(0), bits, 1, 1)
    return density._replace(name="independent", chosen="each pixel has its share of ones")


def mixture_of_bits(
    generator: np.random.Generator,
    bits: Rows,
    validation: Rows,
    components: Iterable[int],
    num_iterations: int,
) -> FittedDensity:
    """Fits mixtures of Bernoulli pixels by expectation maximization, and chooses among them.

    Args:
        generator: chooses where the components start.
        bits: training examples of 0 and 1.
        validation: the examples on which the number of components is chosen.
        components: the numbers of components to try.
        num_iterations: the iterations for each of them.

    Returns:
        The density. Its alarm says if an iteration lowered the likelihood of the training
        examples (times its prior).
    """
    tried = [_bit_mixture(generator, bits, count, num_iterations) for count in components]
    return _best(tried, validation)


def kernels_of_bits(
    bits: Rows, validation: Rows, flip_probabilities: Sequence[float]
) -> FittedDensity:
    """Chooses how many bits of a training example are flipped.

    Args:
        bits: training examples of 0 and 1.
        validation: the examples on which the probability of a flip is chosen.
        flip_probabilities: the probabilities to try.

    Returns:
        The density: a kernel around each training example.
    """
    log_density = bit_kernel_density.bit_kernel_log_density
    scores = log_density(validation, bits, tuple(flip_probabilities)).mean(1)
    best = flip_probabilities[int(scores.argmax())]
    return FittedDensity(
        "kernel",
        f"{len(bits)} examples whose bits flip with probability {best:g}",
        lambda rows: log_density(rows, bits, (best,))[0],
        bits.size + 1,
        lambda generator, count: bit_kernel_density.sample(bits, best, generator, count),
    )


def gaussian_of_codes(codes: Rows) -> FittedDensity:
    """Fits a single Gaussian.

    Args:
        codes: training examples of real numbers.

    Returns:
        The density, with the mean and the covariance of the examples.
    """
    dim = codes.shape[1]
    covariance = np.cov(codes, rowvar=False, bias=True).reshape(dim, dim) + RIDGE * np.eye(dim)
    normal = multivariate_normal(codes.mean(0, dtype=np.float64), covariance)
    return FittedDensity(
        "code_gaussian",
        "1 component",
        lambda rows: np.atleast_1d(normal.logpdf(rows)),
        dim + dim * (dim + 1) // 2,
        lambda generator, count: normal.rvs(count, generator).reshape(count, -1).astype(np.float32),
    )


def mixture_of_gaussians(
    key: Key[Array, ""], codes: Rows, validation: Rows, components: Iterable[int]
) -> FittedDensity:
    """Fits mixtures of Gaussians by expectation maximization, and chooses among them.

    Args:
        key: a random key.
        codes: training examples of real numbers.
        validation: the examples on which the number of components is chosen.
        components: the numbers of components to try.

    Returns:
        The density; its alarm says if an iteration lowered the likelihood.
    """
    tried = [_code_mixture(jax.random.fold_in(key, count), codes, count) for count in components]
    return _best(tried, validation)


def kernels_of_codes(codes: Rows, validation: Rows, bandwidths: Iterable[float]) -> FittedDensity:
    """Chooses the bandwidth of scikit-learn's Gaussian kernel density.

    Args:
        codes: training examples of real numbers.
        validation: the examples on which the bandwidth is chosen.
        bandwidths: the bandwidths to try, in the unit of the codes.

    Returns:
        The density.
    """
    return _best([_code_kernels(codes, bandwidth) for bandwidth in bandwidths], validation)


def _best(tried: Sequence[FittedDensity], validation: Rows) -> FittedDensity:
    alarms = "; ".join(density.alarm for density in tried if density.alarm)
    return min(tried, key=lambda density: density.nats(validation))._replace(alarm=alarms)


def _bit_mixture(
    generator: np.random.Generator, bits: Rows, count: int, num_iterations: int
) -> FittedDensity:
    fit = bernoulli_mixture.fit_mixture(generator, bits, count, num_iterations, PSEUDO_COUNT)
    first, last = -fit.objectives[[0, -1]]
    return FittedDensity(
        "mixture",
        f"{count} components; EM led from {first:.1f} to {last:.1f} training nats in "
        f"{num_iterations} iterations",
        lambda rows: bernoulli_mixture.log_likelihood(fit.mixture, rows),
        count * (bits.shape[1] + 1) - 1,
        lambda generator, number: bernoulli_mixture.sample(fit.mixture, generator, number),
        _fall(fit.objectives),
        expit(fit.mixture.logits[np.argsort(-fit.mixture.log_weights)]),
    )


def _code_mixture(key: Key[Array, ""], codes: Rows, count: int) -> FittedDensity:
    fit = gaussian_mixture.fit_gaussian_mixture(key, jnp.asarray(codes), count, ridge=RIDGE)
    dim = codes.shape[1]

    def draw(generator, number):
        own_key = jax.random.key(int(generator.integers(2**31)))
        return np.asarray(gaussian_mixture.draw_from_mixture(own_key, fit.mixture, number))

    return FittedDensity(
        "code_mixture",
        f"{count} components, {len(fit.log_likelihoods) - 1} iterations of EM",
        lambda rows: np.asarray(
            gaussian_mixture.mixture_log_likelihoods(fit.mixture, jnp.asarray(rows))
        ),
        count * (1 + dim + dim * (dim + 1) // 2) - 1,
        draw,
        _fall(np.asarray(fit.log_likelihoods)),
    )


def _code_kernels(codes: Rows, bandwidth: float) -> FittedDensity:
    from sklearn.neighbors import KernelDensity

    estimate = KernelDensity(bandwidth=bandwidth, rtol=DENSITY_TOLERANCE).fit(codes)

    def draw(generator, count):
        samples = estimate.sample(count, random_state=int(generator.integers(2**31)))
        return samples.astype(np.float32)

    return FittedDensity(
        "code_kernel",
        f"{len(codes)} examples, bandwidth {bandwidth:g}",
        estimate.score_samples,
        codes.size + 1,
        draw,
    )


def _fall(objectives: Float[np.ndarray, " iteration"]) -> str:
    """Says by how much EM lowered its objective; "" if it did not."""
    largest = float(-np.diff(objectives).min(initial=0.0))
    return f"EM lowered the likelihood by {largest:.3g} nats" if largest > EM_ROUNDING else ""
