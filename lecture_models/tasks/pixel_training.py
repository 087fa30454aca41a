"""Trains networks that predict each pixel from those before it."""

import types
from collections.abc import Callable, Mapping
from typing import NamedTuple

import flax.linen as nn
import jax.numpy as jnp
import numpy as np
import optax

from lecture_models.data.batches import ArrayBatches
from lecture_models.data.dataset import Dataset, joined
from lecture_models.evaluators.autoregressive import (
    Observed,
    PixelSettings,
    make_evaluate,
    make_sample,
)
from lecture_models.evaluators.pixel_sampling import pixel_model
from lecture_models.experiment import Best, Evaluation, Experiment
from lecture_models.losses.pixel_likelihood import image_nats
from lecture_models.nn.binarize import binarize
from lecture_models.steps.descent import descend, init_train_state


class PixelTraining(NamedTuple):
    """Describes how a network is trained.

    Attributes:
        optimizer: the optimizer.
        batch_size: images of a step.
        seed: from which the order of the images is drawn.
        dynamic_binarization: whether bits are drawn anew for each batch.
        train_on_validation: whether the validation images are trained on as well.
        cadence_decides: see `Experiment`.
    """

    optimizer: optax.GradientTransformation
    batch_size: int
    seed: int
    dynamic_binarization: bool = False
    train_on_validation: bool = False
    cadence_decides: Mapping[str, str] = types.MappingProxyType({})


def pixel_experiment(
    network: nn.Module,
    levels: int,
    dataset: Dataset,
    observe: Callable[[np.ndarray], np.ndarray],
    training: PixelTraining,
    settings: PixelSettings,
    outside: tuple[np.ndarray | None, str],
    show: Callable[[], Evaluation] = dict,
) -> Experiment:
    """Returns the experiment of a network.

    Args:
        network: maps images and labels, or None, to the logits of all pixels.
        levels: the number of values of a pixel.
        dataset: the images.
        observe: returns images in the levels of the network.
        training: how it is trained.
        settings: what is evaluated.
        outside: images of another kind, in the levels of the network, and their name; or None and
            the reason why there are none.
        show: returns further results of each evaluation.
    """
    image_shape = dataset.train.images.shape[1:]
    by_class = settings.num_classes > 0

    def init(key):
        labels = jnp.zeros(1, jnp.int32) if by_class else None
        variables = network.init(key, jnp.zeros((1, *image_shape)), labels)
        return init_train_state(training.optimizer, variables["params"])

    def step(state, batch, key):
        images = batch["images"]
        if training.dynamic_binarization:
            images = binarize(key, images)

        def loss(params):
            logits = network.apply({"params": params}, images, batch.get("labels"))
            nats = image_nats(logits, images).mean()
            return nats, {"loss": nats}

        return descend(training.optimizer, state, loss)

    model = pixel_model(network, levels)
    test, validation = (observe(part.images) for part in (dataset.test, dataset.validation))
    evaluate = make_evaluate(model, dataset, Observed(test, validation, *outside), settings)
    sample = make_sample(model, settings.num_classes, image_shape)
    return Experiment(
        init,
        step,
        lambda state, key: evaluate(state.params, key) | show(),
        _batches(dataset, observe, training, by_class),
        Best("validation_negative_log_likelihood", sign=-1.0),
        sample=lambda state, key, count: sample(state.params, key, count),
        cadence_decides=training.cadence_decides,
    )


def _batches(
    dataset: Dataset,
    observe: Callable[[np.ndarray], np.ndarray],
    training: PixelTraining,
    by_class: bool,
) -> ArrayBatches:
    """Returns batches of training images, with their classes where the network is told them."""
    train = dataset.train
    if training.train_on_validation:
        train = joined(train, dataset.validation)
    images = train.images if training.dynamic_binarization else observe(train.images)
    arrays = {"images": images} | ({"labels": train.labels} if by_class else {})
    return ArrayBatches(arrays, training.batch_size, training.seed)
