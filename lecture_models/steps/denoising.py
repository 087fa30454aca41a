"""Takes one training step of a denoising autoencoder and of a plain one beside it."""

from collections.abc import Callable
from typing import NamedTuple

import optax
from jaxtyping import Array, Float, Key

from lecture_models.steps.descent import Metrics, Params, TrainState, descend

Images = Float[Array, "batch height width channel"]


class AutoencoderPair(NamedTuple):
    """Holds two networks of one architecture: one learns to remove noise, one to copy."""

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
    """Updates both networks once on the same images.

    The denoising one lowers L(x, g(f(x~))) for x~ drawn from q(x~ | x), the plain one
    L(x, g(f(x))). The target is the clean image for both.

    Args:
        optimizer: the optimizer, each network with a state of its own.
        corrupt: draws x~; maps (key, images) to images.
        loss: the loss; maps (params, inputs, targets) to a scalar.
        state: the networks before the step.
        images: the clean images x in [-1, 1].
        key: the key of the corruption.

    Returns:
        The networks after the step, and the metrics `denoising_loss` and `plain_loss` from before
        it. Vincent et al., 2010, section 3.2.
    """

    def update(network: TrainState, inputs: Images) -> tuple[TrainState, Float[Array, ""]]:
        def with_metrics(params):
            value = loss(params, inputs, images)
            return value, {"loss": value}

        network, metrics = descend(optimizer, network, with_metrics)
        return network, metrics["loss"]

    denoising, denoising_loss = update(state.denoising, corrupt(key, images))
    plain, plain_loss = update(state.plain, images)
    return AutoencoderPair(denoising, plain), {
        "denoising_loss": denoising_loss,
        "plain_loss": plain_loss,
    }
