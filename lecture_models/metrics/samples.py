"""What the samples of any generative model of images are judged by, against one data set."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from jaxtyping import Array, Float

from lecture_models.metrics import coverage, frechet, neighbors, parzen
from lecture_models.metrics.classification import batched_apply
from lecture_models.nn.pixel_values import flatten_to_unit_range

Images = Float[Array | np.ndarray, "_ height width channel"]

PARZEN_VALIDATION = 1_000  # As the authors' code: the bandwidth is chosen on so many images.
NEIGHBOR_QUERIES = 1_000  # Against 50,000 training images, in a second.


class Extractor(NamedTuple):
    """A classifier: `apply(images)` gives (features, logits); `protocol` tells which one."""

    apply: Callable[[Images], tuple[Array, Array]]
    protocol: str


class Judgment(NamedTuple):
    """Scalars by name, and how they were obtained, in a sentence each."""

    scalars: dict[str, float]
    protocols: dict[str, str]


Judge = Callable[[Images], Judgment]


def make_judge(
    train: Images, validation: Images, test: Images, extractor: Extractor | None
) -> Judge:
    """A function of samples in [-1, 1]; what concerns the data alone is computed here, once.

    Without an extractor nothing is said of Frechet's distance and of modes. Raises ValueError
    where all test images are training images, which would make every sampler look like one that
    copies nothing.
    """
    judges = [_parzen_judge(train, validation, test), _memorization_judge(train, test)]
    if extractor is not None:
        judges.append(_feature_judge(train, test, extractor))

    def judge(samples: Images) -> Judgment:
        judgments = [each(samples) for each in judges]
        return Judgment(
            {name: value for each in judgments for name, value in each.scalars.items()},
            {name: text for each in judgments for name, text in each.protocols.items()},
        )

    return judge


def _parzen_judge(train: Images, validation: Images, test: Images) -> Judge:
    validation_vectors = flatten_to_unit_range(validation[:PARZEN_VALIDATION])
    test_vectors, train_vectors = (
        flatten_to_unit_range(test),
        flatten_to_unit_range(train[: len(test)]),
    )
    train_window = parzen.evaluate_sampler(train_vectors, validation_vectors, test_vectors)

    def judge(samples: Images) -> Judgment:
        window = parzen.evaluate_sampler(
            flatten_to_unit_range(samples), validation_vectors, test_vectors
        )
        scalars = {
            "parzen_log_likelihood": window.log_likelihood,
            "parzen_standard_error": window.standard_error,
            "parzen_validation": window.validation_log_likelihood,
            "parzen_bandwidth": window.bandwidth,
        }
        protocol = (
            f"{len(samples)} samples in [0, 1]; bandwidth of {len(parzen.BANDWIDTHS)} "
            f"from 0.1 to 1 best on {len(validation_vectors)} validation images; mean over "
            f"{len(test)} test images, in nats; {len(train_vectors)} training images score "
            f"{train_window.log_likelihood:.1f}"
        )
        return Judgment(scalars, {"parzen": protocol})

    return judge


def _memorization_judge(train: Images, test: Images) -> Judge:
    held_out_distance = _nearest_distance(test, train)
    if held_out_distance == 0.0:
        raise ValueError("every test image is a training image too; they must differ")

    def judge(samples: Images) -> Judgment:
        ratio = _nearest_distance(samples, train) / held_out_distance
        protocol = (
            f"mean distance to the nearest of {len(train)} training images, of "
            f"{min(len(samples), NEIGHBOR_QUERIES)} samples over that of test images"
        )
        return Judgment({"memorization_ratio": ratio}, {"memorization": protocol})

    return judge


def _feature_judge(train: Images, test: Images, extractor: Extractor) -> Judge:
    test_gaussian = frechet.fit_gaussian(_extract(extractor, test)[0])
    train_features = _extract(extractor, train[: len(test)])[0]
    floor = frechet.gaussian_distance(frechet.fit_gaussian(train_features), test_gaussian)

    def judge(samples: Images) -> Judgment:
        features, logits = _extract(extractor, samples)
        distance = frechet.gaussian_distance(frechet.fit_gaussian(features), test_gaussian)
        scalars = {
            "frechet_distance": distance,
            "modes_covered": float(coverage.modes_covered(logits)),
            "class_divergence": coverage.class_divergence(coverage.class_counts(logits)),
        }
        protocols = {
            "frechet": f"{len(samples)} samples against {len(test)} test images, on the last "
            f"hidden layer of a classifier ({extractor.protocol}); {len(train_features)} training "
            f"images score {floor:.3f}",
            "modes": f"classes that get at least 1% of {len(samples)} samples from that "
            "classifier, each with probability 0.5 or more",
        }
        return Judgment(scalars, protocols)

    return judge


def _extract(extractor: Extractor, images: Images):
    return batched_apply(extractor.apply, images, batch_size=min(1_000, len(images)))


def _nearest_distance(queries: Images, train: Images) -> float:
    found = neighbors.nearest_neighbors(queries[:NEIGHBOR_QUERIES], train)
    return float(found.distances.mean())


def above_nearest(
    samples: Images, train: Images
) -> Float[np.ndarray, "image height width channel"]:
    """The samples, then the training image nearest to each, so that copies show."""
    indices = neighbors.nearest_neighbors(samples, train).indices
    return np.concatenate([np.asarray(samples), np.asarray(train)[indices]])
