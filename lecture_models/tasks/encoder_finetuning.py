"""Initializes classifiers that differ in their number of labels and in their initial layers."""

import operator
from collections.abc import Sequence

import flax.linen as nn
import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Key

from lecture_models.steps.descent import Params, TrainState
from lecture_models.steps.finetune import init_from_layers

# By number of labels; the first axis of every array counts the kinds of initial layers.
Classifiers = dict[str, TrainState]


def init_classifiers(
    net: nn.Module,
    optimizer: optax.GradientTransformation,
    image_shape: tuple[int, int, int],
    keys: dict[str, Key[Array, ""]],
    num_kinds: int,
) -> Classifiers:
    """Draws a classifier for each number of labels, with the same parameters for every kind.

    Args:
        net: returns logits.
        optimizer: updates the parameters.
        image_shape: height, width and channels.
        keys: a key for each number of labels.
        num_kinds: number of kinds of initial layers.
    """
    images = jnp.zeros((1, *image_shape))
    # All are drawn in one call, because one small program compiles sooner than several.
    drawn = jax.vmap(lambda key: net.init(key, images)["params"])(jnp.stack(list(keys.values())))
    return {
        count: init_from_layers(optimizer, _select(drawn, index), [{}] * num_kinds)
        for index, count in enumerate(keys)
    }


def replace_layers(
    optimizer: optax.GradientTransformation, classifiers: Classifiers, layers: Sequence[Params]
) -> Classifiers:
    """Returns untrained classifiers with other initial layers, and new states of the optimizer.

    Args:
        optimizer: updates the parameters.
        classifiers: as `init_classifiers` returns them, with the same parameters for every kind.
        layers: for each kind, the layers to replace, by name; {} for none.
    """
    return {
        count: init_from_layers(optimizer, _select(state.params, 0), layers)
        for count, state in classifiers.items()
    }


def _select(stacked: Params, index: int) -> Params:
    """Returns one of several trees whose arrays are stacked along the first axis."""
    return jax.tree.map(operator.itemgetter(index), stacked)
