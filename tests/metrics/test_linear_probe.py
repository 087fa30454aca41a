import numpy as np
import pytest

from lecture_models.metrics.linear_probe import chosen_svm_error, probe_accuracy


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


def test_the_machines_penalty_is_chosen_on_validation_and_the_test_error_is_a_share():
    generator = np.random.default_rng(0)
    labels = generator.integers(0, 3, 300)
    clear = 3.0 * np.eye(3)[labels] + 0.1 * generator.normal(size=(300, 3))
    noise = generator.normal(size=(300, 3))
    parts = [slice(0, 100), slice(100, 200), slice(200, 300)]

    def error(features):
        return chosen_svm_error(*[x for part in parts for x in (features[part], labels[part])])

    assert error(clear) == 0.0
    assert error(noise) == pytest.approx(2 / 3, abs=0.15)
    assert error(1e4 * clear) == 0.0  # Features of any scale.
