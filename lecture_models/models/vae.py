"""The recognition models of variational autoencoders; `models.autoencoder` has the decoders."""

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Float

from lecture_models.models.autoencoder import Images, Nonlinearity
from lecture_models.nn.pixel_values import flatten_to_unit_range


class GaussianEncoder(nn.Module):
    """q(z | x): pixels on [0, 1], layers of `hidden` units, a mean and a log variance per latent.

    Kingma and Welling, 2014, appendix C.2.
    """

    hidden: tuple[int, ...]
    latent_dim: int
    nonlinearity: Nonlinearity = nn.relu

    @nn.compact
    def __call__(
        self, images: Images
    ) -> tuple[Float[Array, "batch latent"], Float[Array, "batch latent"]]:
        x = flatten_to_unit_range(images)
        for features in self.hidden:
            x = self.nonlinearity(nn.Dense(features)(x))
        mean, log_variance = jnp.split(nn.Dense(2 * self.latent_dim)(x), 2, axis=-1)
        return mean, log_variance
