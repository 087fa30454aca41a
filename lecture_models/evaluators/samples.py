"""Builds the scorer of samples for a data set, with the classifier that judges them."""

import hashlib
import os

import jax
import numpy as np
from jaxtyping import Float

from lecture_models.data.dataset import Dataset, split_checksum
from lecture_models.evaluators.param_cache import cached_params
from lecture_models.evaluators.shipped_extractors import extractor_network, shipped_params
from lecture_models.experiment import Evaluation, Images
from lecture_models.files import cache_folder
from lecture_models.metrics.samples import (
    Extractor,
    SampleScorer,
    SampleScores,
    above_nearest,
    feature_scorer,
    make_scorer,
)
from lecture_models.steps.descent import Params
from lecture_models.steps.extractor import ExtractorTraining, fit, parameter_hash

SHOWN = 100  # Samples in the picture.
COMPARED = 10  # Samples shown with their nearest training images.
MIN_EXAMPLES = 500  # Fewer are too few to train a usable classifier.


def sample_scorer(dataset: Dataset, extractor_steps: int) -> SampleScorer:
    """Returns a function that scores samples against a data set's test split.

    Args:
        dataset: the data. Scores of a classifier are included where there are classes, enough
            training images, and images of the size that LeNet-5 takes (28x28x1).
        extractor_steps: how many steps that classifier is trained, where none is shipped.

    Returns:
        A function from samples in [-1, 1] to their scores.
    """
    extractor = feature_extractor(dataset, extractor_steps) if has_extractor(dataset) else None
    return make_scorer(
        dataset.train.images, dataset.validation.images, dataset.test.images, extractor
    )


def classifier_scorer(dataset: Dataset, extractor_steps: int) -> SampleScorer:
    """Returns a function that scores samples by a classifier's features and classes only.

    It takes a tenth of the time of `sample_scorer`, which also has the Parzen window and looks for
    copies of training images.

    Args:
        dataset: the data. Without a classifier of its images there are no scores.
        extractor_steps: how many steps that classifier is trained, where none is shipped.

    Returns:
        A function from samples in [-1, 1] to their scores.
    """
    if not has_extractor(dataset):
        return lambda samples: SampleScores({}, {})
    extractor = feature_extractor(dataset, extractor_steps)
    return feature_scorer(dataset.train.images, dataset.test.images, extractor)


def has_extractor(dataset: Dataset) -> bool:
    """Tells whether a classifier can judge samples of a data set.

    Args:
        dataset: the data.

    Returns:
        True if there are classes, enough training images, and images of 28x28x1.
    """
    takes_images = dataset.train.images.shape[1:] == (28, 28, 1)
    return takes_images and len(dataset.classes) > 1 and len(dataset.train.labels) >= MIN_EXAMPLES


def sample_pictures(
    samples: Float[np.ndarray, "image height width channel"],
    train: Float[np.ndarray, "_ height width channel"],
) -> Evaluation:
    """Shows samples, and the first of them beside the training images nearest to them.

    Args:
        samples: the samples, in [-1, 1].
        train: the training images.

    Returns:
        The images `samples` and `nearest`.
    """
    return {
        "samples": Images(samples[:SHOWN], 10, "the same 100 latents at every evaluation"),
        "nearest": Images(
            above_nearest(samples[:COMPARED], train),
            COMPARED,
            "samples above, the nearest training images below",
        ),
    }


def feature_extractor(dataset: Dataset, num_steps: int) -> Extractor:
    """Returns the classifier that judges samples of a data set.

    For MNIST, Fashion-MNIST and the digits of scikit-learn its parameters ship with this package.
    For other data it is trained on the training split, or read from this machine's cache.

    Args:
        dataset: the data, of 28x28x1 images with labels.
        num_steps: the number of training steps, where a classifier must be trained.

    Returns:
        The classifier; its features are the 84 units of the last hidden layer.
    """
    params, training = shipped_params(dataset.provenance.dataset) or _trained_params(
        dataset, ExtractorTraining(num_steps=num_steps)
    )
    network = extractor_network(len(dataset.classes))

    @jax.jit
    def apply(images):
        logits, activations = network.apply({"params": params}, images)
        return activations["F6"], logits

    description = f"LeNet-5 with rectifiers, {training}, parameters {parameter_hash(params)[:12]}"
    return Extractor(apply, description)


def _trained_params(dataset: Dataset, training: ExtractorTraining) -> tuple[Params, str]:
    identity = (
        f"{split_checksum(dataset.train)} {len(dataset.classes)} relu, black border "
        f"{training.description} jax {jax.__version__} {os.cpu_count()} cores"
    )
    name = hashlib.sha256(identity.encode()).hexdigest()[:16]
    network = extractor_network(len(dataset.classes))
    params = cached_params(
        cache_folder() / "extractors" / f"lenet5-{name}.npz",
        lambda: fit(network, dataset.train.images, dataset.train.labels, training),
    )
    return params, f"trained here on {dataset.provenance.dataset}, {training.description}"
