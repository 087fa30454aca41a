import math

import numpy as np
import pytest

from experiments import learning_curves as experiment
from lecture_models.data.dataset import DataError
from lecture_models.data.lookup import Library

SMALL = experiment.Config(**experiment.SMOKE)


def test_a_model_turns_where_the_training_error_is_half_of_the_validation_error():
    counts = [100, 10_000]
    where = experiment.turn(counts, np.array([0.0, 8.0]), np.array([20.0, 10.0]))
    # The share grows from 0 to 0.8, so 0.5 lies at 0.625 of the way from log 100 to log 10,000.
    assert where.count == pytest.approx(100.0 * 100.0**0.625)
    assert "overfits below about 1,778 images" in where.words
    over = experiment.turn(counts, np.array([0.0, 1.0]), np.array([20.0, 10.0]))
    assert over.count == math.inf
    under = experiment.turn(counts, np.array([15.0, 9.0]), np.array([20.0, 10.0]))
    assert under == (0.0, "underfits from 100 images on")


def test_noise_changes_exactly_its_share_of_the_labels_and_none_to_itself():
    labels = np.arange(1_000, dtype=np.int32) % 10
    noisy = experiment.noisy_labels(labels, 10, 0.3, seed=1)
    assert (noisy != labels).sum() == 300
    assert set(noisy.tolist()) == set(range(10))
    np.testing.assert_array_equal(experiment.noisy_labels(labels, 10, 0.0, seed=1), labels)


def test_each_part_of_a_batch_comes_from_its_own_nested_subset():
    labels = np.arange(200, dtype=np.int32) % 10
    arrays = {"vectors": np.arange(200.0)[:, None].astype(np.float32), "labels": labels}
    batches = experiment.subset_batches(arrays, [20, 100], SMALL)
    assert batches.sizes == (10, 10)
    small, large = (set(part.arrays["example"].tolist()) for part in batches.parts)
    assert len(small) == 20
    assert small < large
    assert np.bincount(labels[sorted(small)]).tolist() == [2] * 10
    batch = next(iter(batches(0)))
    assert set(batch["vectors"][:10, 0].astype(int).tolist()) <= small


def test_errors_become_a_table_and_the_best_size_of_each_count():
    counts = [20, 100]
    errors = experiment.Curves(
        np.array([[30.0, 40.0], [0.0, 10.0]]), np.array([[50.0, 45.0], [55.0, 15.0]]), None
    )
    found = experiment.describe(SMALL, counts, errors)
    assert found["best_hidden_units_n20"] == 2.0
    assert found["best_hidden_units_n100"] == 8.0
    assert found["errors"].rows[0] == (2, 20, 30.0, 50.0, 20.0, "-")
    assert "    2 hidden units: underfits from 20 images on" in found["turns"]


def test_more_images_than_there_are_and_sizes_out_of_order_are_refused():
    config = experiment.Config(dataset="digits", label_counts=(100, 5_000))
    with pytest.raises(DataError, match="--label_counts has 5000"):
        experiment.build(config, Library(None, print))
    with pytest.raises(ValueError, match="--hidden_units is 8,2; it must be different numbers"):
        experiment.Config(hidden_units=(8, 2))
    with pytest.raises(ValueError, match="--label_noise is 1.5; it must be from 0.0 to 0.9"):
        experiment.Config(label_noise=1.5)
