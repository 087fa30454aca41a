"""One step of an autoencoder that learns to reconstruct what it is given."""

from collections.abc import Callable
from typing import NamedTuple

import optax
from jaxtyping import Array, Float

from lecture_models.losses.reconstruction import squared_error
from lecture_models.steps.descent import Metrics, Params, TrainState, descend

Images = Float[Array, "batch height width channel"]
Codes = Float[Array, "batch code"]


class Autoencoder(NamedTuple):
    """Pure functions, from images to images.

    `encode(params, images)` gives codes, `decode(params, codes)` logits of pixels in [0, 1], and
    `pixels(logits)` images in [-1, 1].
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
    """One descent of the mean of L(x, g(h(x))) over a batch.

    `loss(logits, images)` gives one value per image. The metric, `squared_error`, is on pixels in
    [0, 1], the mean over the batch and before the step. Bengio, 2009, section 4.6.
    """

    def mean_loss(params):
        logits = autoencoder.decode(params, autoencoder.encode(params, images))
        error = squared_error(autoencoder.pixels(logits), images).mean()
        return loss(logits, images).mean(), {"squared_error": error}

    return descend(optimizer, state, mean_loss)
