"""Defines the encoder of variational autoencoders; `models.autoencoder` has the decoders."""

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Float

from lecture_models.models.autoencoder import Images, Nonlinearity
from lecture_models.nn.pixel_values import flatten_to_unit_range


class GaussianEncoder(nn.Module):
    """Computes the mean and the log variance of q(z | x) for each image, by dense layers.

    Kingma and Welling, "Auto-encoding variational Bayes", 2014, appendix C.2.

    Attributes:
        hidden: the number of units of each hidden layer.
        latent_dim: the number of latents.
        nonlinearity: the function after each hidden layer.
    """

    hidden: tuple[int, ...]
    latent_dim: int
    nonlinearity: Nonlinearity = nn.relu

    @nn.compact
    def __call__(
        self, images: Images
    ) -> tuple[Float[Array, "batch latent"], Float[Array, "batch latent"]]:
        """Returns the mean and the log variance of each latent, for images in [-1, 1]."""
        x = flatten_to_unit_range(images)
        for features in self.hidden:
            x = self.nonlinearity(nn.Dense(features)(x))
        mean, log_variance = jnp.split(nn.Dense(2 * self.latent_dim)(x), 2, axis=-1)
        return mean, log_variance
