"""A network of two convolutions and three classes, in place of pretrained weights."""

import jax
import jax.numpy as jnp
import numpy as np
from flax import linen as nn

from lecture_models.data.dataset import Provenance
from lecture_models.weights.error import WeightsAbsentError
from lecture_models.weights.network import Pretrained
from lecture_models.weights.preprocessing import Preprocessing

CLASSES = ("tench, Tinca tinca", "goldfish", "crane")


class Tiny(nn.Module):
    """Maps `conv1`, `relu1`, and `conv2` of stride 4; `mean` has no rows."""

    num_classes: int = 3

    @nn.compact
    def __call__(self, images, training=False):
        activations = {}
        activations["conv1"] = x = nn.Conv(6, (5, 5), 2, name="conv1")(images)
        activations["relu1"] = x = nn.relu(x)
        activations["conv2"] = x = nn.Conv(8, (3, 3), 2, padding="VALID", name="conv2")(x)
        activations["mean"] = x = nn.relu(x).mean((1, 2))
        if not self.num_classes:
            return jnp.zeros((len(x), 0)), activations
        return nn.Dense(self.num_classes, name="fc")(x), activations


def tiny(name="tiny", seed=0, classes=CLASSES, alarm=""):
    """A network of BGR in 0..255 minus a mean, as Caffe's are."""
    model = Tiny(len(classes))
    random = np.random.default_rng(seed)
    shapes = jax.eval_shape(model.init, jax.random.key(0), jnp.zeros((1, 24, 24, 3)))
    variables = jax.tree.map(
        lambda leaf: jnp.asarray(random.normal(0.0, 0.3, leaf.shape), jnp.float32), shapes
    )
    preprocess = Preprocessing((104.0, 117.0, 123.0), (1.0,) * 3, 255.0, True, 24, 24)
    return Pretrained(
        name, model, variables, preprocess, classes, Provenance(name, "drawn", ()), alarm
    )


class TinyWeights:
    """In place of `Weights`: those networks that are given, under their names."""

    def __init__(self, *networks):
        self._networks = {each.name: each for each in networks or (tiny(),)}

    def load(self, names):
        for name in names.split(","):
            if name in self._networks:
                return self._networks[name]
        raise WeightsAbsentError(f"there is no {names}")
