import jax
import numpy as np
import pytest

from lecture_models.metrics.frechet import frechet_distance
from lecture_models.metrics.kernel_distance import kernel_distance
from lecture_models.metrics.neighbors import nearest_neighbors
from lecture_models.metrics.parzen import evaluate_sampler
from lecture_models.metrics.samples import Extractor, above_nearest, make_scorer
from lecture_models.nn.pixel_values import flatten_to_unit_range


def images(seed, count):
    """Returns noisy images, half dark, half bright: two modes that the mean pixel tells apart."""
    noise = 0.1 * jax.random.normal(jax.random.key(seed), (count, 4, 4, 1))
    level = np.where(np.arange(count) % 2, 0.6, -0.6).astype(np.float32)[:, None, None, None]
    return np.asarray(noise) + level


def apply(pixels):
    flat = pixels.reshape(len(pixels), -1)
    score = 20.0 * flat.mean(axis=1, keepdims=True)
    return flat[:, :6], np.concatenate([score, -score], axis=1)


TRAIN, VALIDATION, TEST = images(0, 200), images(1, 100), images(2, 100)
EXTRACTOR = Extractor(apply, "mean pixel")


@pytest.fixture(scope="module")
def score():
    return make_scorer(TRAIN, VALIDATION, TEST, EXTRACTOR)


def test_fresh_data_cover_all_modes_and_memorize_nothing(score):
    scalars = score(images(3, 100)).scalars
    assert scalars["modes_covered"] == 2
    assert scalars["class_kl_divergence"] == pytest.approx(0.0, abs=1e-6)
    assert scalars["memorization_ratio"] == pytest.approx(1.0, abs=0.1)


def test_copies_of_the_training_set_show(score):
    assert score(TRAIN[:100]).scalars["memorization_ratio"] == pytest.approx(0.0, abs=1e-6)


def test_a_test_set_of_training_images_is_refused():
    with pytest.raises(ValueError, match="every test image is also a training image"):
        make_scorer(TRAIN, VALIDATION, TRAIN[:50], EXTRACTOR)


def test_a_collapsed_sampler_is_worse_in_every_score(score):
    good, collapsed = score(images(3, 100)).scalars, score(images(3, 200)[::2]).scalars
    assert collapsed["modes_covered"] == 1
    assert collapsed["class_kl_divergence"] == pytest.approx(np.log(2), rel=1e-3)
    assert collapsed["frechet_distance"] > 10 * good["frechet_distance"]
    assert collapsed["kernel_distance"] > 10 * abs(good["kernel_distance"])
    assert collapsed["parzen_log_likelihood"] < good["parzen_log_likelihood"]


def test_the_parzen_score_is_that_of_pixels_between_zero_and_one(score):
    samples = images(3, 100)
    estimate = evaluate_sampler(
        flatten_to_unit_range(samples),
        flatten_to_unit_range(VALIDATION),
        flatten_to_unit_range(TEST),
    )
    assert score(samples).scalars["parzen_log_likelihood"] == estimate.log_likelihood


@pytest.fixture(scope="module")
def apart():
    """Returns train, validation and test images that no score can confuse, and their scorer."""
    splits = 0.8 * images(0, 200), images(1, 100), 0.4 * images(2, 100) - 0.2
    return *splits, make_scorer(*splits, EXTRACTOR)


def test_the_bandwidth_is_the_best_on_validation_images_and_the_score_is_of_test_images(apart):
    _, validation, test, score = apart
    samples = images(3, 100)
    vectors, held_out, tested = (
        flatten_to_unit_range(split) for split in (samples, validation, test)
    )
    expected = evaluate_sampler(vectors, held_out, tested)
    assert expected.bandwidth != evaluate_sampler(vectors, tested, tested).bandwidth
    scalars = score(samples).scalars
    assert scalars["parzen_bandwidth"] == expected.bandwidth
    assert scalars["parzen_validation"] == expected.validation_log_likelihood
    assert scalars["parzen_log_likelihood"] == expected.log_likelihood
    assert scalars["parzen_standard_error"] == expected.standard_error


def test_printed_references_are_the_scores_of_as_many_training_images_as_there_are_test_images(
    apart,
):
    train, validation, test, score = apart
    descriptions = score(images(3, 100)).descriptions
    parzen = evaluate_sampler(
        *(flatten_to_unit_range(split) for split in (train[:100], validation, test))
    )
    assert descriptions["parzen"].endswith(f"100 training images score {parzen.log_likelihood:.1f}")
    features = apply(train[:100])[0], apply(test)[0]
    floor, kernel_floor = frechet_distance(*features), kernel_distance(*features)
    assert floor > 0.1
    assert descriptions["frechet"].endswith(f"100 training images score {floor:.3f}")
    assert descriptions["kernel"].endswith(f"training images score {kernel_floor:.5f}")
    # These images are scored as any samples are.
    scalars = score(train[:100]).scalars
    assert scalars["parzen_log_likelihood"] == parzen.log_likelihood
    assert scalars["frechet_distance"] == pytest.approx(floor)


def test_copies_are_looked_for_among_training_images_relative_to_test_images(apart):
    train, _, test, score = apart
    samples = images(3, 100)
    held_out, own = (
        float(nearest_neighbors(queries, train).distances.mean()) for queries in (test, samples)
    )
    found = score(samples).scalars["memorization_ratio"]
    assert found == pytest.approx(own / held_out, rel=1e-6)
    assert score(train[:100]).scalars["memorization_ratio"] == pytest.approx(0.0, abs=1e-6)


def test_every_score_has_its_description(score):
    descriptions = score(images(3, 100)).descriptions
    assert "100 samples" in descriptions["parzen"]
    assert "mean pixel" in descriptions["frechet"]
    assert "1%" in descriptions["modes"]


def test_unit_vectors_map_the_range_onto_zero_to_one():
    vectors = flatten_to_unit_range(np.array([-1.0, 0.0, 1.0], np.float32).reshape(3, 1, 1, 1))
    assert vectors.tolist() == [[0.0], [0.5], [1.0]]


def test_each_sample_stands_above_its_nearest_training_image():
    grid = above_nearest(TRAIN[5:7] + 0.001, TRAIN)
    np.testing.assert_array_equal(grid[2:], TRAIN[5:7])


def test_without_a_classifier_only_pixels_are_scored():
    scores = make_scorer(TRAIN, VALIDATION, TEST, None)(images(3, 100))
    assert "frechet_distance" not in scores.scalars
    assert scores.descriptions.keys() == {"parzen", "memorization"}
