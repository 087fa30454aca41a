"""One step of a variational autoencoder, on the bound of one sample or of many."""

from collections.abc import Callable
from typing import NamedTuple

import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, Key

from lecture_models.losses.reconstruction import bernoulli_cross_entropy
from lecture_models.losses.vae import importance_weighted_elbo
from lecture_models.nn import gaussian
from lecture_models.steps.descent import Metrics, Params, TrainState, descend

Images = Float[Array, "batch height width channel"]
Latents = Float[Array, "batch latent"]


class VAE(NamedTuple):
    """Pure functions: `encode(params, images)` gives mean and log variance of q(z | x),

    `decode(params, latents)` the logits of pixels in [0, 1], p(x | z).
    """

    encode: Callable[[Params, Images], tuple[Latents, Latents]]
    decode: Callable[[Params, Latents], Images]


def log_weights(
    vae: VAE, params: Params, images: Images, key: Key[Array, ""], num_samples: int
) -> Float[Array, "sample batch"]:
    """log p(x, z) - log q(z | x) in nats, for samples z of q(z | x). Burda et al., 2016, Eq. 7."""
    mean, log_variance = (
        jnp.broadcast_to(each, (num_samples, *each.shape)) for each in vae.encode(params, images)
    )
    latents = gaussian.reparameterize(key, mean, log_variance)
    logits = vae.decode(params, latents.reshape(-1, latents.shape[-1]))
    repeated = jnp.broadcast_to(images, (num_samples, *images.shape)).reshape(logits.shape)
    likelihood = -bernoulli_cross_entropy(logits, repeated).reshape(num_samples, -1)
    prior = gaussian.log_density(latents, jnp.zeros_like(mean), jnp.zeros_like(mean))
    return likelihood + prior - gaussian.log_density(latents, mean, log_variance)


def elbo_terms(
    vae: VAE, params: Params, images: Images, key: Key[Array, ""]
) -> tuple[Float[Array, " batch"], Float[Array, "batch latent"]]:
    """-log p(x | z) of one sample, and the divergence of q(z | x) from the prior by dimension.

    Minus their sum is the bound of Kingma and Welling, 2014, Eq. 10; both in nats.
    """
    mean, log_variance = vae.encode(params, images)
    logits = vae.decode(params, gaussian.reparameterize(key, mean, log_variance))
    return bernoulli_cross_entropy(logits, images), gaussian.divergence(mean, log_variance)


def vae_step(
    vae: VAE,
    optimizer: optax.GradientTransformation,
    state: TrainState,
    images: Images,
    key: Key[Array, ""],
    num_samples: int = 1,
) -> tuple[TrainState, Metrics]:
    """One descent of the negative bound: closed-form divergence for one sample, else L_k.

    The metric `loss` is the batch's mean negative bound in nats, before the step.
    """

    def negative_bound(params):
        if num_samples == 1:
            reconstruction, divergence = elbo_terms(vae, params, images, key)
            loss = jnp.mean(reconstruction + divergence.sum(-1))
        else:
            loss = -importance_weighted_elbo(
                log_weights(vae, params, images, key, num_samples)
            ).mean()
        return loss, {"loss": loss}

    return descend(optimizer, state, negative_bound)
