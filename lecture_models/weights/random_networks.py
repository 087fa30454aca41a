"""Makes networks with random parameters, drawn from a fixed seed, which need no file."""

from collections.abc import Callable
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from lecture_models.data.dataset import Provenance
from lecture_models.models.vgg import VGG, VGG_E
from lecture_models.weights.network import Pretrained, expected_shapes, imagenet_classes
from lecture_models.weights.preprocessing import Preprocessing

UNTRAINED = "untrained"
VGG19_RANDOM = "vgg19_random"
_NOISE = "random parameters: what it says of a picture means nothing"
_RANDOM_VGG = (
    "random filters, nothing learned: they serve textures, style and inversion, but do not "
    "recognize objects"
)


def untrained(preprocessing: Preprocessing, announce: Callable[[str], None]) -> Pretrained:
    """Returns a small network for tests of programs."""
    announce(f"UNTRAINED: a small network of {_NOISE}")
    model = VGG(stages=((8, (3,)), (16, (3,))), hidden=32)
    random = np.random.default_rng(0)  # jax's generator would compile for seconds.
    variables = jax.tree.map(
        lambda leaf: jnp.asarray(random.normal(0.0, 0.1, leaf.shape), jnp.float32),
        expected_shapes(model, side=56),
    )
    return Pretrained(
        UNTRAINED,
        model,
        variables,
        preprocessing._replace(size=56, shorter_side=64),
        imagenet_classes(),
        Provenance(f"weights {UNTRAINED}", "drawn from seed 0", (), _NOISE),
        _NOISE,
    )


def random_vgg19(preprocessing: Preprocessing, announce: Callable[[str], None]) -> Pretrained:
    """Returns VGG-19's convolutions with He's initial values: w ~ N(0, 2 / fan_in), and b = 0.

    So the mean square of the rectified maps stays that of the input, layer by layer (He et al.,
    2015, "Delving deep into rectifiers", section 2.2).
    """
    announce(f"RANDOM FILTERS: {VGG19_RANDOM} has {_RANDOM_VGG}")
    model = VGG_E(num_classes=0)
    random = np.random.default_rng(0)
    variables = jax.tree.map(partial(_he_normal, random), expected_shapes(model))
    return Pretrained(
        VGG19_RANDOM,
        model,
        variables,
        preprocessing,
        (),
        Provenance(
            f"weights {VGG19_RANDOM}",
            "VGG-19 without its fully connected layers; He's filters drawn from seed 0",
            (),
            _RANDOM_VGG,
        ),
        _RANDOM_VGG,
    )


def _he_normal(random: np.random.Generator, leaf: jax.ShapeDtypeStruct) -> jax.Array:
    if len(leaf.shape) == 1:
        return jnp.zeros(leaf.shape, jnp.float32)
    scale = np.float32(np.sqrt(2.0 / np.prod(leaf.shape[:-1])))
    return jnp.asarray(random.standard_normal(leaf.shape, np.float32) * scale)
