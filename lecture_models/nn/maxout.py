"""Defines maxout layers, whose activation is learned and convex."""

import flax.linen as nn
from jaxtyping import Array, Float


class Maxout(nn.Module):
    """Computes the largest of several affine maps for each unit.

    h_i = max_j (x W_ij + b_ij), j = 1 ... pieces

    Goodfellow et al., "Maxout networks", 2013, section 3.

    Attributes:
        features: the number of units.
        pieces: the number of affine maps per unit.
        kernel_init: the initializer of the weights W.
    """

    features: int
    pieces: int
    kernel_init: nn.initializers.Initializer = nn.initializers.lecun_normal()

    @nn.compact
    def __call__(self, x: Float[Array, "batch in"]) -> Float[Array, "batch features"]:
        """Returns the activity of each unit."""
        x = nn.Dense(self.features * self.pieces, kernel_init=self.kernel_init)(x)
        return x.reshape(x.shape[0], self.features, self.pieces).max(axis=-1)
