"""Fits mixtures of independent Bernoulli variables to bits, by expectation maximization."""

import math
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Float32, Float64
from scipy.special import logsumexp

Bits = Float[np.ndarray, "example variable"]

CHUNK = 5_000  # The most examples at a time.


class BernoulliMixture(NamedTuple):
    """Holds a mixture of K products of independent Bernoulli variables.

    p(x) = sum_k w_k prod_j p_kj^x_j (1 - p_kj)^(1 - x_j)

    Attributes:
        log_weights: log w_k, in nats.
        logits: log p_kj / (1 - p_kj).
    """

    log_weights: Float32[np.ndarray, " component"]
    logits: Float32[np.ndarray, "component variable"]


class Fit(NamedTuple):
    """Holds a fitted mixture and the path that led there.

    Attributes:
        mixture: the mixture after the last iteration.
        objectives: before each iteration and after the last, the mean log-likelihood of the
            examples plus the logarithm of the prior divided by the number of examples, in nats.
    """

    mixture: BernoulliMixture
    objectives: Float[np.ndarray, " iteration"]


def log_likelihood(mixture: BernoulliMixture, bits: Bits) -> Float[np.ndarray, " example"]:
    """Returns log p(x) of each example, in nats.

    Args:
        mixture: the mixture.
        bits: the examples x, of 0 and 1.

    Returns:
        One value per example, higher is better.
    """
    chunks = [bits[first : first + CHUNK] for first in range(0, len(bits), CHUNK)]
    return np.concatenate([logsumexp(_log_joint(mixture, chunk), axis=1) for chunk in chunks])


def fit_mixture(
    generator: np.random.Generator,
    bits: Bits,
    num_components: int,
    num_iterations: int,
    pseudo_count: float = 0.1,
) -> Fit:
    """Fits a mixture by expectation maximization.

    E: r_ik = p(k | x_i);  M: w_k = mean_i r_ik, p_kj = (sum_i r_ik x_ij + a) / (sum_i r_ik + 2 a)

    The pseudo-count a is a Beta(1 + a, 1 + a) prior of every p_kj, without which a variable that
    never varied among the examples of a component would make others impossible. The mean
    log-likelihood plus the prior's logarithm never falls; with a = 0 it is the likelihood alone.

    Args:
        generator: chooses the examples at which the components start.
        bits: the examples, of 0 and 1.
        num_components: the number of components K, from 1 to the number of examples.
        num_iterations: the number of iterations.
        pseudo_count: a, at least 0.

    Returns:
        The mixture with the objectives. Bishop, 2006, section 9.3.3.

    Raises:
        ValueError: a value is not 0 or 1, or a number is out of its range.
    """
    examples = np.asarray(bits, np.float32)
    _require_bits(examples)
    _require_numbers(len(examples), num_components, num_iterations, pseudo_count)
    mixture = _initial(generator, examples, num_components)
    objectives = []
    for _ in range(num_iterations):
        total, counts, ones = _expectations(mixture, examples)
        objectives.append(_objective(mixture, total, len(examples), pseudo_count))
        mixture = _maximize(counts, ones, pseudo_count)
    total = float(log_likelihood(mixture, examples).sum(dtype=np.float64))
    objectives.append(_objective(mixture, total, len(examples), pseudo_count))
    return Fit(mixture, np.asarray(objectives))


def sample(mixture: BernoulliMixture, generator: np.random.Generator, count: int) -> Bits:
    """Draws examples from a mixture.

    Args:
        mixture: the mixture.
        generator: a random generator.
        count: the number of examples.

    Returns:
        Rows of 0 and 1.
    """
    weights = np.exp(mixture.log_weights.astype(np.float64))
    components = generator.choice(len(weights), count, p=weights / weights.sum())
    # A logistic variable lies below the logit with the logit's probability.
    noise = generator.logistic(size=(count, mixture.logits.shape[1])).astype(np.float32)
    return (noise < mixture.logits[components]).astype(np.float32)


def _initial(
    generator: np.random.Generator, examples: Bits, num_components: int
) -> BernoulliMixture:
    # Means between the examples' mean and one example: all distinct, and none is 0 or 1.
    chosen = generator.choice(len(examples), num_components, replace=False)
    means = examples.mean(0, dtype=np.float64)[None, :]
    if num_components > 1:
        means = 0.25 * examples[chosen] + 0.75 * means
    means = 0.98 * means + 0.01
    log_weights = np.full(num_components, -math.log(num_components), np.float32)
    return BernoulliMixture(log_weights, np.log(means / (1.0 - means)).astype(np.float32))


def _log_joint(mixture: BernoulliMixture, bits: Bits) -> Float32[np.ndarray, "example component"]:
    offsets = mixture.log_weights - np.logaddexp(0.0, mixture.logits).sum(1, dtype=np.float64)
    return bits @ mixture.logits.T + offsets.astype(np.float32)[None, :]


def _expectations(
    mixture: BernoulliMixture, examples: Bits
) -> tuple[float, Float64[np.ndarray, " component"], Float64[np.ndarray, "component variable"]]:
    """Sums over all examples: the log-likelihood, and of each component examples and ones."""
    total, counts, ones = 0.0, 0.0, 0.0
    for first in range(0, len(examples), CHUNK):
        bits = examples[first : first + CHUNK]
        joint = _log_joint(mixture, bits)
        largest = joint.max(1, keepdims=True)
        responsibilities = np.exp(joint - largest)
        sums = responsibilities.sum(1, keepdims=True)
        responsibilities /= sums
        total += float((largest + np.log(sums)).sum(dtype=np.float64))
        counts = counts + responsibilities.sum(0, dtype=np.float64)
        ones = ones + (responsibilities.T @ bits).astype(np.float64)
    return total, counts, ones


def _maximize(counts: np.ndarray, ones: np.ndarray, pseudo_count: float) -> BernoulliMixture:
    # float32 cannot hold the logit of a probability of 0 or 1, which a = 0 permits.
    tiny = np.finfo(np.float32).tiny
    zeros = np.maximum(counts[:, None] - ones, 0.0)
    logits = np.log(ones + pseudo_count + tiny) - np.log(zeros + pseudo_count + tiny)
    log_weights = np.log(np.maximum(counts, tiny)) - math.log(counts.sum())
    return BernoulliMixture(log_weights.astype(np.float32), logits.astype(np.float32))


def _objective(
    mixture: BernoulliMixture, log_likelihood_sum: float, count: int, pseudo_count: float
) -> float:
    logits = np.asarray(mixture.logits, np.float64)
    # log p + log (1 - p) = -(softplus(-logit) + softplus(logit))
    log_prior = -pseudo_count * (np.logaddexp(0.0, logits) + np.logaddexp(0.0, -logits)).sum()
    return float((log_likelihood_sum + log_prior) / count)


def _require_bits(examples: np.ndarray) -> None:
    wrong = examples[(examples != 0.0) & (examples != 1.0)]
    if wrong.size:
        raise ValueError(f"bits have a value of {wrong.flat[0]:g}; each must be 0 or 1")


def _require_numbers(
    count: int, num_components: int, num_iterations: int, pseudo_count: float
) -> None:
    if not 1 <= num_components <= count:
        raise ValueError(
            f"{num_components} components of {count} examples; the number must be from 1 to {count}"
        )
    if num_iterations < 1:
        raise ValueError(f"{num_iterations} iterations; the number must be at least 1")
    if not pseudo_count >= 0.0:
        raise ValueError(f"pseudo_count is {pseudo_count}; it must be at least 0")
