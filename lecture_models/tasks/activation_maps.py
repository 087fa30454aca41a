"""Asks a pretrained classifier about pictures: what they show, and where it looks."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, UInt8

from lecture_models.attribution.class_activation import (
    enlarged,
    features_and_gradients,
    grad_cam,
)
from lecture_models.data.pixels import images_from_uint8
from lecture_models.tasks.codes import input_side, resizing_network
from lecture_models.tasks.layers import cam_layer, layer_shapes
from lecture_models.weights.network import Pretrained

AT_ONCE = 16  # Pictures.


class Seen(NamedTuple):
    """Holds what a classifier says of pictures.

    Attributes:
        probabilities: of each class.
        heats: the Grad-CAM map of each picture's most probable class, at the picture's size.
    """

    probabilities: Float[np.ndarray, "picture class"]
    heats: Float[np.ndarray, "picture height width"]


def seen_by(network: Pretrained, pixels: UInt8[np.ndarray, "picture height width 3"]) -> Seen:
    """Returns the probabilities of all classes, and maps of what decides the most probable one.

    Args:
        network: a network with classes.
        pixels: pictures of one size, at least one.
    """
    side = input_side(network, 0)
    apply = resizing_network(network, side)
    layer = cam_layer(layer_shapes(apply, network, (side, side)), "")

    @jax.jit
    def look(variables, images):
        def network_of(images):
            logits, activations = apply(variables, images)
            return logits.max(axis=1), activations[layer]

        maps = jax.nn.relu(grad_cam(*features_and_gradients(network_of, images)))
        heat = enlarged(maps, images.shape[1], images.shape[2])
        return jax.nn.softmax(apply(variables, images)[0]), heat

    parts = [
        look(network.variables, jnp.asarray(images_from_uint8(part)))
        for part in np.array_split(pixels, -(-len(pixels) // AT_ONCE))
    ]
    return Seen(
        *(
            np.concatenate([np.asarray(array) for array in arrays])
            for arrays in zip(*parts, strict=True)
        )
    )
