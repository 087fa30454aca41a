"""One step of a denoising autoencoder and, beside it, of the same net that sees no noise."""

from collections.abc import Callable
from typing import NamedTuple

import optax
from jaxtyping import Array, Float, Key

from lecture_models.steps.descent import Metrics, Params, TrainState, descend

Images = Float[Array, "batch height width channel"]


class AutoencoderPair(NamedTuple):
    """Two nets of one architecture: one learns to remove noise, one to copy."""

    denoising: TrainState
    plain: TrainState


def denoising_step(
    optimizer: optax.GradientTransformation,
    corrupt: Callable[[Key[Array, ""], Images], Images],
    loss: Callable[[Params, Images, Images], Float[Array, ""]],
    state: AutoencoderPair,
    images: Images,
    key: Key[Array, ""],
) -> tuple[AutoencoderPair, Metrics]:
    """Both after one update: the first of L(x, g(f(x~))), x~ drawn from q(x~ | x); the other of
    L(x, g(f(x))).

    `loss(params, inputs, targets)` is a scalar. The target is the clean image for both. Vincent
    et al., 2010, section 3.2.
    """

    def update(net: TrainState, inputs: Images) -> tuple[TrainState, Float[Array, ""]]:
        def with_metrics(params):
            value = loss(params, inputs, images)
            return value, {"loss": value}

        net, metrics = descend(optimizer, net, with_metrics)
        return net, metrics["loss"]

    denoising, denoising_loss = update(state.denoising, corrupt(key, images))
    plain, plain_loss = update(state.plain, images)
    return AutoencoderPair(denoising, plain), {
        "denoising_loss": denoising_loss,
        "plain_loss": plain_loss,
    }
