"""Checks the kernel distance against double loops, known values and its limits."""

import numpy as np
import pytest

from lecture_models.metrics.kernel_distance import kernel_distance


def test_it_is_the_unbiased_estimate_written_out():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(5, 3)), rng.normal(size=(4, 3)) + 1.0

    def kernel(x, y):
        return (x @ y / 3 + 1.0) ** 3

    size = 4
    within_a = sum(kernel(a[i], a[j]) for i in range(size) for j in range(size) if i != j)
    within_b = sum(kernel(b[i], b[j]) for i in range(size) for j in range(size) if i != j)
    across = sum(kernel(a[i], b[j]) for i in range(size) for j in range(size))
    expected = (within_a + within_b) / (size * (size - 1)) - 2 * across / size**2
    assert kernel_distance(a, b) == pytest.approx(expected, rel=1e-12)


def test_it_is_without_bias_for_equal_distributions():
    rng = np.random.default_rng(1)
    distances = [
        kernel_distance(rng.normal(size=(20, 2)), rng.normal(size=(20, 2))) for _ in range(2_000)
    ]
    standard_error = np.std(distances) / np.sqrt(len(distances))
    assert abs(np.mean(distances)) < 4 * standard_error
    assert min(distances) < 0


def test_blocks_are_averaged():
    rng = np.random.default_rng(2)
    a, b = rng.normal(size=(10, 3)), rng.normal(size=(10, 3))
    blocks = [kernel_distance(a[i::2], b[i::2]) for i in (0, 1)]
    assert kernel_distance(a, b, block_size=5) == pytest.approx(np.mean(blocks))


def test_sorted_examples_are_spread_over_the_blocks():
    """Both sets hold the same values, one of them sorted; blocks in a row would give 15.5."""
    values = np.random.default_rng(3).normal(size=(400, 1))
    assert abs(kernel_distance(values, np.sort(values, axis=0), block_size=50)) < 1.0


def test_one_feature_with_constant_sets_gives_the_known_value():
    """All a are 0 and all b are 1: 1 + 2^3 - 2 * 1 = 7."""
    assert kernel_distance(np.zeros((3, 1)), np.ones((3, 1))) == 7.0


@pytest.mark.parametrize(
    ("a", "b", "message"),
    [
        (np.zeros((3, 2)), np.zeros((3, 1)), "2 and 1 dimensions"),
        (np.zeros((1, 2)), np.zeros((3, 2)), "at least 2 examples"),
        (np.full((3, 2), np.nan), np.zeros((3, 2)), "finite"),
    ],
)
def test_unusable_features_are_refused(a, b, message):
    with pytest.raises(ValueError, match=message):
        kernel_distance(a, b)
