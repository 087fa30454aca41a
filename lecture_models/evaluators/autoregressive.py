"""Scores and shows a model of each pixel given those before it, whatever its network.

The model comes as `pixel_sampling.PixelModel`; its likelihoods are exact, not bounds.
"""

import functools
from collections.abc import Callable
from typing import NamedTuple

import jax
import numpy as np
from jaxtyping import Array, Float, Key

from lecture_models.data.dataset import Dataset
from lecture_models.evaluators import autoregressive_pictures as pictures
from lecture_models.evaluators.causality import causality_line, make_dependence
from lecture_models.evaluators.pixel_sampling import (
    Labels,
    PixelModel,
    Unknown,
    Variables,
    draw,
    draw_from_caches,
)
from lecture_models.evaluators.samples import classifier_scorer
from lecture_models.experiment import Evaluation
from lecture_models.losses.pixel_likelihood import bits_per_dimension, image_nats
from lecture_models.metrics.out_of_distribution import auroc
from lecture_models.steps.descent import Params

ImageArray = Float[np.ndarray, "image height width channel"]
Drawer = Callable[[Variables, Key[Array, ""], ImageArray, Labels, Unknown, float], ImageArray]

IMAGES_PER_CALL = 100


class PixelSettings(NamedTuple):
    """Describes what is evaluated.

    Attributes:
        num_classes: the number of classes that the model is conditioned on; 0 for none.
        num_samples: the number of images that are drawn and scored.
        completed: the number of test images whose lower half is drawn anew.
        completions: how often for each of them.
        temperatures: the temperatures at which samples are shown.
        extractor_steps: how many steps the judging classifier is trained, where none ships.
        observed: a phrase that says what a pixel is, such as "static bits".
    """

    num_classes: int
    num_samples: int
    completed: int
    completions: int
    temperatures: tuple[float, ...]
    extractor_steps: int
    observed: str


class Observed(NamedTuple):
    """Holds the images whose likelihood is computed, in the levels of the model.

    Attributes:
        test: the test images, in [-1, 1].
        validation: the validation images.
        outside: images of another kind, in the shape of the test images; None for none.
        outside_name: the name of their data set.
    """

    test: ImageArray
    validation: ImageArray
    outside: ImageArray | None
    outside_name: str


def make_drawer(model: PixelModel) -> Drawer:
    """Returns a function that draws unknown pixels, from caches where the model has them.

    Args:
        model: the model.

    Returns:
        A function of (variables, key, images, labels, unknown, temperature), compiled once for each
        shape, which returns images.
    """
    by = draw if model.caches is None else draw_from_caches

    @functools.partial(jax.jit, static_argnames="hidden")
    def compiled(variables, key, images, labels, temperature, hidden):
        unknown = np.array(hidden, bool)
        return by(model, variables, key, images, labels, unknown, temperature)

    def draw_all(variables, key, images, labels, unknown, temperature):
        hidden = tuple(map(tuple, unknown.tolist()))
        return np.asarray(compiled(variables, key, images, labels, temperature, hidden))

    return draw_all


def make_sample(
    model: PixelModel, num_classes: int, image_shape: tuple[int, int, int]
) -> Callable[[Params, Key[Array, ""], int], ImageArray]:
    """Returns a function that draws images; with classes, of each in turn.

    Args:
        model: the model.
        num_classes: the number of classes; 0 for none.
        image_shape: height, width and channels.

    Returns:
        A function of (params, key, count), which returns images in [-1, 1].
    """
    drawer = make_drawer(model)

    def sample(params, key, count):
        return draw_new(drawer, {"params": params}, key, count, num_classes, image_shape)

    return sample


def make_evaluate(
    model: PixelModel, dataset: Dataset, observed: Observed, settings: PixelSettings
) -> Callable[[Params, Key[Array, ""]], Evaluation]:
    """Returns a function that scores and shows a model of pixels.

    Args:
        model: the model.
        dataset: the data, whose test images as they are judge the samples.
        observed: the images whose likelihood is computed.
        settings: what is evaluated.

    Returns:
        A function of (params, key). It returns the exact negative log-likelihood of all test and
        validation images in nats, the bits per dimension, how well likelihood tells images of
        another kind, scores of samples, the result of the test of causality, and pictures.
    """
    drawer = make_drawer(model)
    nats_of = make_nats(model)
    nats_by_pixel, dependence = pictures.make_nats_by_pixel(model), make_dependence(model)
    score = functools.cache(lambda: classifier_scorer(dataset, settings.extractor_steps))
    with_classes = settings.num_classes > 0
    image_shape = observed.test.shape[1:]

    def labels_of(split):
        return split.labels if with_classes else None

    def evaluate(params, key):
        variables = {"params": params}
        sample_key, picture_key = jax.random.split(key)
        test = nats_of(variables, observed.test, labels_of(dataset.test))
        validation = nats_of(variables, observed.validation, labels_of(dataset.validation))
        samples = draw_new(
            drawer, variables, sample_key, settings.num_samples, settings.num_classes, image_shape
        )
        scores = score()(samples)
        shown = pictures.Shown(
            observed.test, labels_of(dataset.test), samples, settings.num_classes
        )
        leaks, causality = causality_line(
            dependence, variables, observed.test, labels_of(dataset.test)
        )
        return {
            "negative_log_likelihood": float(test.mean()),
            "validation_negative_log_likelihood": float(validation.mean()),
            "likelihood_standard_error": float(test.std() / np.sqrt(len(test))),
            "bits_per_dimension": bits_per_dimension(float(test.mean()), observed.test[0].size),
            "likelihood": f"exact, on all {len(test):,} test images; nats, of {settings.observed}",
            "causality": causality,
            "alarm_causality": causality if leaks else "",
            **tell_outside(nats_of, variables, observed, test, settings.num_classes),
            **scores.scalars,
            **scores.descriptions,
            **pictures.all_pictures(nats_by_pixel, drawer, variables, picture_key, shown, settings),
        }

    return evaluate


def make_nats(
    model: PixelModel,
) -> Callable[[Variables, ImageArray, Labels], Float[np.ndarray, " image"]]:
    """Returns a function that computes the exact negative log-likelihood of many images.

    Args:
        model: the model.

    Returns:
        A function of (variables, images, labels), which returns one value per image in nats.
    """
    compiled = jax.jit(
        lambda variables, images, labels: image_nats(
            model.logits(variables, images, labels), images
        )
    )

    def nats(variables, images, labels):
        size, parts = min(IMAGES_PER_CALL, len(images)), []
        for first in range(0, len(images), size):
            # The last call begins earlier, so that all have one size and are compiled once.
            start = min(first, len(images) - size)
            block = slice(start, start + size)
            values = compiled(variables, images[block], None if labels is None else labels[block])
            parts.append(np.asarray(values)[first - start :])
        return np.concatenate(parts)

    return nats


def draw_new(
    drawer: Drawer,
    variables: Variables,
    key: Key[Array, ""],
    count: int,
    num_classes: int,
    image_shape: tuple[int, int, int],
    temperature: float = 1.0,
) -> ImageArray:
    """Draws whole images, at most `IMAGES_PER_CALL` in one call.

    Args:
        drawer: what `make_drawer` returned.
        variables: the model's variables.
        key: the random key.
        count: the number of images.
        num_classes: the number of classes, which take turns; 0 for none.
        image_shape: height, width and channels.
        temperature: divides the logits.

    Returns:
        The images, in [-1, 1].
    """
    size, parts = min(count, IMAGES_PER_CALL), []
    blank, unknown = np.zeros((size, *image_shape), np.float32), np.ones(image_shape[:2], bool)
    for first in range(0, count, size):
        labels = (first + np.arange(size)) % num_classes if num_classes else None
        labels = None if labels is None else labels.astype(np.int32)
        call_key = jax.random.fold_in(key, first)
        parts.append(drawer(variables, call_key, blank, labels, unknown, temperature))
    return np.concatenate(parts)[:count]


def tell_outside(
    nats_of: Callable[..., Float[np.ndarray, " image"]],
    variables: Variables,
    observed: Observed,
    test_nats: Float[np.ndarray, " image"],
    num_classes: int,
) -> Evaluation:
    """Measures how well the likelihood tells images of another kind from test images.

    Args:
        nats_of: what `make_nats` returned.
        variables: the model's variables.
        observed: the images.
        test_nats: the negative log-likelihood of each test image.
        num_classes: the number of classes; a model with classes is not asked, because images of
            another kind have none of them.

    Returns:
        The mean nats of the images of another kind, the probability that one of them is less likely
        than a test image, and a histogram; only a text, if there are none.
    """
    if observed.outside is None or num_classes:
        reason = "the model needs classes" if num_classes else observed.outside_name
        return {"out_of_distribution": f"not computed: {reason}"}
    outside = nats_of(variables, observed.outside, None)
    probability = auroc(test_nats, outside)
    return {
        "outside_negative_log_likelihood": float(outside.mean()),
        "out_of_distribution_auroc": probability,
        "out_of_distribution": f"a random image of {observed.outside_name} is less likely than a "
        f"random test image with probability {probability:.4f}; means {outside.mean():.1f} and "
        f"{test_nats.mean():.1f} nats",
        "nats_histogram": pictures.histogram(test_nats, outside, observed.outside_name),
    }
