import numpy as np
import pytest

from lecture_models.metrics.linear_probe import probe_accuracy


def test_a_linear_probe_finds_what_is_linear_and_nothing_in_noise():
    generator = np.random.default_rng(0)
    features = generator.normal(size=(600, 5))
    linear = (features @ [1.0, -1.0, 0.5, 0.0, 0.0] > 0.3).astype(int)
    both = np.stack([linear, generator.integers(0, 2, 600)], 1)
    train, test = slice(400), slice(400, None)

    def score(targets):
        return probe_accuracy(features[train], targets[train], features[test], targets[test])

    assert score(linear) > 0.93
    assert abs(score(both[:, 1]) - 0.5) < 0.12
    assert score(both) == pytest.approx((score(linear) + score(both[:, 1])) / 2.0)
