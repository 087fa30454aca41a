"""A network with its parameters, whatever they came from."""

import functools
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from flax import linen as nn

from lecture_models.data.dataset import Provenance
from lecture_models.weights.preprocessing import Preprocessing


class Pretrained(NamedTuple):
    """A network with its parameters.

    `model.apply(variables, preprocess(images))` takes RGB in [-1, 1]; `classes` are the names of
    its logits, none where it has only features. `alarm` is what every result must say loudly: that
    the network is none of those that were trained on photos; empty where it is one.
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
    """The 1,000 names of ILSVRC 2012 in the usual order, that of their WordNet numbers."""
    lines = Path(__file__).with_name("imagenet_synset_words.txt").read_text("utf-8").splitlines()
    return tuple(line.partition(" ")[2] for line in lines)


def expected_shapes(model: nn.Module, side: int = 224, channels: int = 3) -> Any:
    """The shapes of a network's variables for pictures of a side, at no cost."""
    images = jax.ShapeDtypeStruct((1, side, side, channels), jnp.float32)
    return jax.eval_shape(model.init, jax.random.key(0), images)
