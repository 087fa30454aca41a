"""Maxout, a learned convex activation."""

import flax.linen as nn
from jaxtyping import Array, Float


class Maxout(nn.Module):
    """The largest of `pieces` affine maps, for each of `features` units.

    h_i = max_j (x W_ij + b_ij), j = 1..pieces. Goodfellow et al., Maxout Networks, 2013, section 3.
    """

    features: int
    pieces: int
    kernel_init: nn.initializers.Initializer = nn.initializers.lecun_normal()

    @nn.compact
    def __call__(self, x: Float[Array, "batch in"]) -> Float[Array, "batch features"]:
        x = nn.Dense(self.features * self.pieces, kernel_init=self.kernel_init)(x)
        return x.reshape(x.shape[0], self.features, self.pieces).max(axis=-1)
