"""Tests the kernel density of bits against scikit-learn's Gaussian one."""

import itertools
import math

import numpy as np
import pytest

from lecture_models.linear.bit_kernel_density import bit_kernel_log_density, sample

DIM = 8
ALL = np.asarray(list(itertools.product([0.0, 1.0], repeat=DIM)), np.float32)
EXAMPLES = np.random.default_rng(0).integers(0, 2, (5, DIM)).astype(np.float32)


@pytest.mark.parametrize("bandwidth", [0.4, 0.8])
def test_it_is_the_gaussian_density_of_scikit_learn_on_bits(bandwidth):
    neighbors = pytest.importorskip("sklearn.neighbors")
    of_densities = neighbors.KernelDensity(bandwidth=bandwidth).fit(EXAMPLES).score_samples(ALL)
    log_odds = -0.5 / bandwidth**2
    log_volume = 0.5 * DIM * math.log(2.0 * math.pi * bandwidth**2)
    expected = of_densities + log_volume - DIM * math.log1p(math.exp(log_odds))
    probability = math.exp(log_odds) / (1.0 + math.exp(log_odds))
    found = bit_kernel_log_density(ALL, EXAMPLES, (probability,))[0]
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_the_probabilities_of_all_points_add_up_to_one():
    log_p = bit_kernel_log_density(ALL, EXAMPLES, (0.01, 0.2, 0.49))
    np.testing.assert_allclose(np.exp(log_p).sum(1), 1.0, atol=1e-5)


def test_flips_of_probability_near_half_make_all_points_equal():
    log_p = bit_kernel_log_density(ALL, EXAMPLES, (0.499999,))[0]
    np.testing.assert_allclose(log_p, -DIM * math.log(2.0), atol=1e-3)


def test_samples_are_examples_with_flipped_bits():
    drawn = sample(EXAMPLES, 0.1, np.random.default_rng(0), 20_000)
    distances = np.abs(drawn[:, None, :] - EXAMPLES[None]).sum(2).min(1)
    assert distances.max() <= DIM
    counts = np.bincount((drawn @ (2 ** np.arange(DIM)[::-1])).astype(int), minlength=2**DIM)
    expected = np.exp(bit_kernel_log_density(ALL, EXAMPLES, (0.1,))[0])
    np.testing.assert_allclose(counts / len(drawn), expected, atol=0.01)
    assert np.array_equal(
        np.unique(sample(EXAMPLES, 0.0, np.random.default_rng(1), 200), axis=0),
        np.unique(EXAMPLES, axis=0),
    )


@pytest.mark.parametrize("probability", [0.0, 0.5, float("nan")])
def test_flip_probabilities_outside_of_zero_to_half_are_refused(probability):
    with pytest.raises(ValueError, match="they must be between 0 and 0.5"):
        bit_kernel_log_density(ALL, EXAMPLES, (probability,))
