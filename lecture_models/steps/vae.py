"""Takes one training step of a variational autoencoder, on the ELBO or on L_k of many samples."""

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
    """Describes a variational autoencoder as pure functions.

    Attributes:
        encode: maps (params, images) to the mean and the log variance of q(z | x).
        decode: maps (params, latents) to the logits of pixels in [0, 1], which give p(x | z).
    """

    encode: Callable[[Params, Images], tuple[Latents, Latents]]
    decode: Callable[[Params, Latents], Images]


def log_weights(
    vae: VAE, params: Params, images: Images, key: Key[Array, ""], num_samples: int
) -> Float[Array, "sample batch"]:
    """Draws samples z from q(z | x) and returns their log importance weights.

    log w = log p(x, z) - log q(z | x)

    Args:
        vae: the encoder and the decoder.
        params: their parameters.
        images: the images x in [-1, 1].
        key: the key of the samples.
        num_samples: the number of samples for each image.

    Returns:
        The log weights in nats. Burda et al., 2016, Eq. 7.
    """
    mean, log_variance = (
        jnp.broadcast_to(moment, (num_samples, *moment.shape))
        for moment in vae.encode(params, images)
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
    """Returns the two terms of the negative ELBO, the second in closed form.

    -ELBO = -log p(x | z) + sum_j KL(q(z_j | x) || N(0, 1)), z drawn from q(z | x)

    Args:
        vae: the encoder and the decoder.
        params: their parameters.
        images: the images x in [-1, 1].
        key: the key of the one sample z of each image.

    Returns:
        The reconstruction term of each image, and the KL divergence of each latent unit, in nats.
        Kingma and Welling, 2014, Eq. 10.
    """
    mean, log_variance = vae.encode(params, images)
    logits = vae.decode(params, gaussian.reparameterize(key, mean, log_variance))
    return bernoulli_cross_entropy(logits, images), gaussian.kl_divergence(mean, log_variance)


def vae_step(
    vae: VAE,
    optimizer: optax.GradientTransformation,
    state: TrainState,
    images: Images,
    key: Key[Array, ""],
    num_samples: int = 1,
) -> tuple[TrainState, Metrics]:
    """Lowers the mean negative ELBO of a batch once.

    Args:
        vae: the encoder and the decoder.
        optimizer: the optimizer of their parameters.
        state: the state before the step.
        images: the images in [-1, 1].
        key: the key of the samples of q(z | x).
        num_samples: the k of L_k. 1 trains the ELBO with its KL divergence in closed form; more
            train the importance-weighted ELBO.

    Returns:
        The state after the step, and the metric `loss` from before it: the mean negative bound of
        the batch in nats.
    """

    def negative_elbo(params):
        if num_samples == 1:
            reconstruction, kl_divergence = elbo_terms(vae, params, images, key)
            loss = jnp.mean(reconstruction + kl_divergence.sum(-1))
        else:
            loss = -importance_weighted_elbo(
                log_weights(vae, params, images, key, num_samples)
            ).mean()
        return loss, {"loss": loss}

    return descend(optimizer, state, negative_elbo)
