import jax
import numpy as np
import pytest

from lecture_models.metrics.parzen import evaluate_sampler
from lecture_models.metrics.samples import Extractor, above_nearest, make_judge
from lecture_models.nn.pixel_values import flatten_to_unit_range


def pictures(seed, count):
    """Half dark, half bright, with noise: two modes that the mean pixel tells apart."""
    noise = 0.1 * jax.random.normal(jax.random.key(seed), (count, 4, 4, 1))
    level = np.where(np.arange(count) % 2, 0.6, -0.6).astype(np.float32)[:, None, None, None]
    return np.asarray(noise) + level


def apply(images):
    flat = images.reshape(len(images), -1)
    score = 20.0 * flat.mean(axis=1, keepdims=True)
    return flat[:, :6], np.concatenate([score, -score], axis=1)


TRAIN, VALIDATION, TEST = pictures(0, 200), pictures(1, 100), pictures(2, 100)
EXTRACTOR = Extractor(apply, "mean pixel")


@pytest.fixture(scope="module")
def judge():
    return make_judge(TRAIN, VALIDATION, TEST, EXTRACTOR)


def test_fresh_data_cover_all_modes_and_memorize_nothing(judge):
    scalars = judge(pictures(3, 100)).scalars
    assert scalars["modes_covered"] == 2
    assert scalars["class_divergence"] == pytest.approx(0.0, abs=1e-6)
    assert scalars["memorization_ratio"] == pytest.approx(1.0, abs=0.1)


def test_copies_of_the_training_set_are_found_out(judge):
    assert judge(TRAIN[:100]).scalars["memorization_ratio"] == pytest.approx(0.0, abs=1e-6)


def test_test_images_that_were_trained_on_are_refused():
    with pytest.raises(ValueError, match="every test image is a training image"):
        make_judge(TRAIN, VALIDATION, TRAIN[:50], EXTRACTOR)


def test_a_collapsed_sampler_is_worse_in_every_figure(judge):
    good, collapsed = judge(pictures(3, 100)).scalars, judge(pictures(3, 200)[::2]).scalars
    assert collapsed["modes_covered"] == 1
    assert collapsed["class_divergence"] == pytest.approx(np.log(2), rel=1e-3)
    assert collapsed["frechet_distance"] > 10 * good["frechet_distance"]
    assert collapsed["parzen_log_likelihood"] < good["parzen_log_likelihood"]


def test_the_parzen_figure_is_that_of_pixels_between_zero_and_one(judge):
    samples = pictures(3, 100)
    window = evaluate_sampler(
        flatten_to_unit_range(samples),
        flatten_to_unit_range(VALIDATION),
        flatten_to_unit_range(TEST),
    )
    assert judge(samples).scalars["parzen_log_likelihood"] == window.log_likelihood


def test_every_figure_has_its_protocol(judge):
    protocols = judge(pictures(3, 100)).protocols
    assert "100 samples" in protocols["parzen"]
    assert "mean pixel" in protocols["frechet"]
    assert "1%" in protocols["modes"]


def test_unit_vectors_map_the_range_onto_zero_to_one():
    vectors = flatten_to_unit_range(np.array([-1.0, 0.0, 1.0], np.float32).reshape(3, 1, 1, 1))
    assert vectors.tolist() == [[0.0], [0.5], [1.0]]


def test_each_sample_stands_above_its_nearest_training_image():
    grid = above_nearest(TRAIN[5:7] + 0.001, TRAIN)
    np.testing.assert_array_equal(grid[2:], TRAIN[5:7])


def test_without_a_classifier_only_pixels_are_judged():
    judgment = make_judge(TRAIN, VALIDATION, TEST, None)(pictures(3, 100))
    assert "frechet_distance" not in judgment.scalars
    assert judgment.protocols.keys() == {"parzen", "memorization"}
