"""A network whose attribution maps are known by hand: it measures the brightness of colors."""

import jax.numpy as jnp
import numpy as np
from flax import linen as nn

from experiments.attribution import BASELINES
from lecture_models.data.dataset import Provenance
from lecture_models.tasks.attribution.functions import AttributionInputs
from lecture_models.tasks.attribution.methods import MethodSettings
from lecture_models.weights.preprocessing import Preprocessing
from lecture_models.weights.pretrained import Pretrained

CLASSES = ("red, scarlet", "crane", "blue", "crane")
SIDE = 16
SQUARES = Preprocessing((1.0, 1.0, 1.0), (1.0, 1.0, 1.0), 2.0, bgr=False, size=16, shorter_side=16)
SETTINGS = MethodSettings(4, 4, 2, 2, 0.1, 4, BASELINES["gray"], 0)
SPOT = np.s_[4:8, 8:12]


class Brightness(nn.Module):
    """Computes as logits the brightness of an image in red, in green and in blue, and a zero."""

    num_classes: int = 4
    nonlinearity: object = nn.relu

    @nn.compact
    def __call__(self, images, training=False):
        gain = self.param("gain", nn.initializers.ones, (1, 1, 1, 3))
        features = self.nonlinearity(gain * images)
        logits = jnp.pad(30.0 * features.mean((1, 2)), ((0, 0), (0, 1)))
        return logits, {"rectified": features, "mean": features.mean((1, 2))}


def network(classes=CLASSES):
    variables = {"params": {"gain": jnp.array([1.0, 1.0, 1.0]).reshape(1, 1, 1, 3)}}
    provenance = Provenance("weights brightness", "by hand", ())
    return Pretrained("brightness", Brightness(), variables, SQUARES, classes, provenance)


class OneNetwork:
    """Stands for the pretrained weights: the same network under every name."""

    def __init__(self, classes=CLASSES):
        self._network = network(classes)

    def load(self, name):
        return self._network


def spots():
    """Returns two black images with a spot at the same place, one red and one blue."""
    images = np.full((2, SIDE, SIDE, 3), -1.0, np.float32)
    images[(0, *SPOT, 0)] = 1.0
    images[(1, *SPOT, 2)] = 0.8
    return images


def inputs_of(*targets):
    return AttributionInputs(network().variables, spots(), np.array(targets))
