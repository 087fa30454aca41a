"""What the classifiers share: their step, their augmentation, and how they are judged.

Whatever is chosen is chosen on the validation split; the test split is looked at once, after the
last step.
"""

import functools
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Key

from lecture_models.data.batches import ArrayBatches
from lecture_models.data.dataset import DataError, Dataset, Split
from lecture_models.evaluators.classification import Heads, make_evaluate
from lecture_models.experiment import Best, Experiment, Metrics
from lecture_models.nn.augmentation import (
    ChannelMoments,
    channel_moments,
    random_crop,
    random_flip,
    standardize,
)
from lecture_models.nn.convolution_stack import Conv, Pool
from lecture_models.steps.classifier import classifier_step, init_classifier, step_keys
from lecture_models.tasks.classifier_config import Recipe

Augment = Callable[[Key[Array, ""], Array], Array]


def crop_and_flip(padding: int) -> Callable[[ChannelMoments], Augment]:
    """He et al., 2015, section 4.2: a random crop of the padded image or of its mirror image.

    The border is the channels' mean, which is 0 to the net.
    """

    def make(moments):
        def augment(key, images):
            crop_key, flip_key = jax.random.split(key)
            return random_flip(flip_key, random_crop(crop_key, images, padding, moments.mean))

        return augment

    return make


def narrowed(layers: tuple[Conv | Pool, ...], share: float) -> tuple[Conv | Pool, ...]:
    """The layers of a stack with a share of their channels, at least one; scores stay."""
    return tuple(
        layer._replace(features=max(1, round(share * layer.features)))
        if isinstance(layer, Conv) and layer.features
        else layer
        for layer in layers
    )


def require_classes(dataset: Dataset) -> None:
    """Raises DataError where there is nothing to tell apart."""
    if len(dataset.classes) < 2:
        raise DataError(
            f"a classifier needs two classes or more; {dataset.provenance.dataset} has "
            f"{len(dataset.classes)}: give labeled data, for pictures of your own a folder with a "
            "sub-folder for each class"
        )


def make_experiment(
    dataset: Dataset,
    net: nn.Module,
    optimizer: optax.GradientTransformation,
    recipe: Recipe,
    augment: Callable[[ChannelMoments], Augment] | None = None,
    auxiliary: Mapping[str, float] = MappingProxyType({}),
    heads: Callable[[ChannelMoments], Heads] = lambda moments: {},
    measure: Callable[[Key[Array, ""]], Metrics] = lambda structure_key: {},
) -> Experiment:
    """A classifier of images whose channels are standardized by the training split's moments.

    `augment(moments)` gives the augmentation of images in [-1, 1]. `heads(moments)` gives more
    classifiers of the same state, to be judged beside the net. `measure` gives metrics of what a
    step draws from its `structure` key. Where the recipe says `train_on_validation` nothing is left
    to choose: training is on both splits, and only the test split is judged.
    """
    require_classes(dataset)
    if recipe.train_on_validation:
        pairs = zip(dataset.train, dataset.validation, strict=True)
        dataset = dataset._replace(train=Split(*(np.concatenate(pair) for pair in pairs)))
    train = dataset.train
    blank = jnp.zeros((1, *train.images.shape[1:]))
    require_fit(net, blank, dataset.provenance.dataset)
    moments = channel_moments(train.images)
    apply = standardized(net, moments)
    step_of = functools.partial(
        classifier_step,
        apply,
        optimizer,
        augment=None if augment is None else augment(moments),
        auxiliary=auxiliary,
    )

    def init(key):
        return init_classifier(net.init, optimizer, blank, quick_key(key))

    def step(state, batch, key):
        state, metrics = step_of(state, batch, key)
        return state, metrics | measure(step_keys(jax.random.clone(key)).structure)

    evaluate = make_evaluate(
        dataset,
        {"": lambda state, images: apply(state.variables, images)[0], **heads(moments)},
        recipe.num_steps,
        has_validation=not recipe.train_on_validation,
    )
    batches = ArrayBatches(
        {"images": train.images, "labels": train.labels}, recipe.batch_size, recipe.seed
    )
    best = None if recipe.train_on_validation else Best("validation_error_percent", sign=-1.0)
    return Experiment(init, step, evaluate, batches, best)


def quick_key(key: Key[Array, ""]) -> Key[Array, ""]:
    """A key of XLA's own generator, for the first weights.

    Its draws compile in a tenth of the time: 2.5 seconds of CPU for a net of 8 layers, not 21.
    """
    words = jnp.tile(jax.random.key_data(key), 2)[:4]
    return jax.random.wrap_key_data(words, impl="rbg")


def require_fit(net: nn.Module, images: Array, dataset: str) -> None:
    """Raises DataError where the net does not take images of that size."""
    try:
        jax.eval_shape(net.init, jax.random.key(0), images)
    except ValueError as error:
        size = "x".join(map(str, images.shape[1:]))
        raise DataError(f"the net does not take {dataset}, images of {size}: {error}") from error


def standardized(net: nn.Module, moments: ChannelMoments) -> Callable[..., Any]:
    """The net's `apply`, for images in [-1, 1]."""
    return lambda variables, images, **options: net.apply(
        variables, standardize(images, moments), **options
    )
