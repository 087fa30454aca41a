"""Takes one training step of an autoencoder."""

from collections.abc import Callable
from typing import NamedTuple

import optax
from jaxtyping import Array, Float

from lecture_models.losses.reconstruction import squared_error
from lecture_models.steps.descent import Metrics, Params, TrainState, descend

Images = Float[Array, "batch height width channel"]
Codes = Float[Array, "batch code"]


class Autoencoder(NamedTuple):
    """Describes an autoencoder as pure functions.

    Attributes:
        encode: maps (params, images) to codes.
        decode: maps (params, codes) to logits of pixels in [0, 1].
        pixels: maps logits to images in [-1, 1].
    """

    encode: Callable[[Params, Images], Codes]
    decode: Callable[[Params, Codes], Images]
    pixels: Callable[[Images], Images]


def reconstruction_step(
    autoencoder: Autoencoder,
    loss: Callable[[Images, Images], Float[Array, " batch"]],
    optimizer: optax.GradientTransformation,
    state: TrainState,
    images: Images,
) -> tuple[TrainState, Metrics]:
    """Lowers the mean reconstruction loss L(x, g(h(x))) of a batch once.

    Args:
        autoencoder: the encoder h and the decoder g.
        loss: the loss L; maps (logits, images) to one value per image.
        optimizer: the optimizer of the parameters.
        state: the state before the step.
        images: the images x in [-1, 1].

    Returns:
        The state after the step, and the metric `squared_error` from before it: the batch mean of
        the squared error on pixels in [0, 1]. Bengio, 2009, section 4.6.
    """

    def mean_loss(params):
        logits = autoencoder.decode(params, autoencoder.encode(params, images))
        error = squared_error(autoencoder.pixels(logits), images).mean()
        return loss(logits, images).mean(), {"squared_error": error}

    return descend(optimizer, state, mean_loss)
