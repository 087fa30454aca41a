"""Scores the samples of any generative model of images against one data set."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from jaxtyping import Array, Float

from lecture_models.metrics import coverage, frechet, neighbors, parzen
from lecture_models.metrics.classification import batched_apply
from lecture_models.metrics.kernel_distance import BLOCK_SIZE, kernel_distance
from lecture_models.nn.pixel_values import flatten_to_unit_range

Images = Float[Array | np.ndarray, "_ height width channel"]

PARZEN_VALIDATION = 1_000  # Images on which the bandwidth is chosen, as in the authors' code.
NEIGHBOR_QUERIES = 1_000  # Samples compared with 50,000 training images in a second.


class Extractor(NamedTuple):
    """Describes a trained classifier whose features and classes are used to score samples.

    Attributes:
        apply: maps images to (features, logits).
        description: a phrase that tells which classifier it is, to print beside the scores.
    """

    apply: Callable[[Images], tuple[Array, Array]]
    description: str


class SampleScores(NamedTuple):
    """Holds the scores of one set of samples.

    Attributes:
        scalars: the scores by name.
        descriptions: texts by name that say how the scores were computed.
    """

    scalars: dict[str, float]
    descriptions: dict[str, str]


SampleScorer = Callable[[Images], SampleScores]


def make_scorer(
    train: Images, validation: Images, test: Images, extractor: Extractor | None
) -> SampleScorer:
    """Returns a function that scores samples; what depends only on the data is computed once.

    Args:
        train: the training images in [-1, 1], with which copies are looked for.
        validation: the images on which the Parzen bandwidth is chosen.
        test: the images that the samples are compared with.
        extractor: a classifier of the data; without one (None) there is no Frechet distance, no
            kernel distance, no count of modes and no divergence of the classes.

    Returns:
        A function from samples in [-1, 1] to their scores.

    Raises:
        ValueError: every test image is also a training image, so that copies of training images
            would not show.
    """
    scorers = [_parzen_scorer(train, validation, test), _memorization_scorer(train, test)]
    if extractor is not None:
        scorers.append(feature_scorer(train, test, extractor))

    def score(samples: Images) -> SampleScores:
        all_scores = [scorer(samples) for scorer in scorers]
        return SampleScores(
            {name: value for scores in all_scores for name, value in scores.scalars.items()},
            {name: text for scores in all_scores for name, text in scores.descriptions.items()},
        )

    return score


def _parzen_scorer(train: Images, validation: Images, test: Images) -> SampleScorer:
    validation_vectors = flatten_to_unit_range(validation[:PARZEN_VALIDATION])
    test_vectors, train_vectors = (
        flatten_to_unit_range(test),
        flatten_to_unit_range(train[: len(test)]),
    )
    of_training = parzen.evaluate_sampler(train_vectors, validation_vectors, test_vectors)

    def score(samples: Images) -> SampleScores:
        estimate = parzen.evaluate_sampler(
            flatten_to_unit_range(samples), validation_vectors, test_vectors
        )
        scalars = {
            "parzen_log_likelihood": estimate.log_likelihood,
            "parzen_standard_error": estimate.standard_error,
            "parzen_validation": estimate.validation_log_likelihood,
            "parzen_bandwidth": estimate.bandwidth,
        }
        description = (
            f"{len(samples)} samples in [0, 1]; bandwidth of {len(parzen.BANDWIDTHS)} "
            f"from 0.1 to 1 best on {len(validation_vectors)} validation images; mean over "
            f"{len(test)} test images, in nats; {len(train_vectors)} training images score "
            f"{of_training.log_likelihood:.1f}"
        )
        return SampleScores(scalars, {"parzen": description})

    return score


def _memorization_scorer(train: Images, test: Images) -> SampleScorer:
    held_out_distance = _nearest_distance(test, train)
    if held_out_distance == 0.0:
        raise ValueError("every test image is also a training image; the two sets must differ")

    def score(samples: Images) -> SampleScores:
        ratio = _nearest_distance(samples, train) / held_out_distance
        description = (
            f"mean distance to the nearest of {len(train)} training images, of "
            f"{min(len(samples), NEIGHBOR_QUERIES)} samples over that of test images"
        )
        return SampleScores({"memorization_ratio": ratio}, {"memorization": description})

    return score


def feature_scorer(train: Images, test: Images, extractor: Extractor) -> SampleScorer:
    """Returns a function that scores samples by a classifier's features and classes only.

    Args:
        train: the training images in [-1, 1], whose own scores are stated beside those of samples.
        test: the images that the samples are compared with.
        extractor: a classifier of the data.

    Returns:
        A function from samples in [-1, 1] to their Frechet distance, their kernel distance, the
        count of modes and the divergence of the classes.
    """
    test_features = _extract(extractor, test)[0]
    test_gaussian = frechet.fit_gaussian(test_features)
    train_features = _extract(extractor, train[: len(test)])[0]
    floor = frechet.gaussian_distance(frechet.fit_gaussian(train_features), test_gaussian)
    kernel_floor = kernel_distance(train_features, test_features)

    def score(samples: Images) -> SampleScores:
        features, logits = _extract(extractor, samples)
        distance = frechet.gaussian_distance(frechet.fit_gaussian(features), test_gaussian)
        class_counts = coverage.class_counts(logits)
        scalars = {
            "frechet_distance": distance,
            "kernel_distance": kernel_distance(features, test_features),
            "modes_covered": float(coverage.modes_covered(logits)),
            "class_kl_divergence": coverage.class_kl_divergence(class_counts),
        }
        descriptions = {
            "frechet": f"{len(samples)} samples against {len(test)} test images, on the last "
            f"hidden layer of a classifier ({extractor.description}); {len(train_features)} "
            f"training images score {floor:.3f}",
            "kernel": f"polynomial kernel of degree 3 on the same features, mean over blocks of up "
            f"to {BLOCK_SIZE:,}; training images score {kernel_floor:.5f}",
            "modes": f"classes that get at least 1% of {len(samples)} samples from that "
            "classifier, each with probability 0.5 or more",
        }
        return SampleScores(scalars, descriptions)

    return score


def _extract(extractor: Extractor, images: Images):
    return batched_apply(extractor.apply, images, batch_size=min(1_000, len(images)))


def _nearest_distance(queries: Images, train: Images) -> float:
    nearest = neighbors.nearest_neighbors(queries[:NEIGHBOR_QUERIES], train)
    return float(nearest.distances.mean())


def above_nearest(
    samples: Images, train: Images
) -> Float[np.ndarray, "image height width channel"]:
    """Returns the samples followed by the training image nearest to each, so that copies show.

    Args:
        samples: the samples.
        train: the training images to search.

    Returns:
        Twice as many images as samples; in a grid with one column per sample the nearest training
        image is below its sample.
    """
    indices = neighbors.nearest_neighbors(samples, train).indices
    return np.concatenate([np.asarray(samples), np.asarray(train)[indices]])
