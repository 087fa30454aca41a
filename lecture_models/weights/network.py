"""Defines the type of every network with parameters, pretrained or not."""

import functools
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from flax import linen as nn

from lecture_models.data.dataset import Provenance
from lecture_models.weights.preprocessing import Preprocessing


class Pretrained(NamedTuple):
    """Holds a network with its parameters; `model.apply(variables, preprocess(images))` runs it.

    Attributes:
        name: the name by which it was loaded.
        model: the module.
        variables: parameters and batch statistics.
        preprocess: makes its input from RGB images in [-1, 1].
        classes: names of its logits; () for a network that has only features.
        provenance: where the parameters come from.
        alarm: a warning that every result must show, if the network was not trained on photos; ""
            if it was.
    """

    name: str
    model: nn.Module
    variables: Any
    preprocess: Preprocessing
    classes: tuple[str, ...]
    provenance: Provenance
    alarm: str = ""


@functools.cache
def imagenet_classes() -> tuple[str, ...]:
    """Returns the 1,000 class names of ILSVRC 2012 in the order of their WordNet numbers."""
    lines = Path(__file__).with_name("imagenet_synset_words.txt").read_text("utf-8").splitlines()
    return tuple(line.partition(" ")[2] for line in lines)


def expected_shapes(model: nn.Module, side: int = 224, channels: int = 3) -> Any:
    """Returns the shapes of a network's variables, without computing the variables.

    Args:
        model: the network.
        side: height and width of its input.
        channels: channels of its input.
    """
    images = jax.ShapeDtypeStruct((1, side, side, channels), jnp.float32)
    return jax.eval_shape(model.init, jax.random.key(0), images)
