"""Defines the eigenface method as a network of three layers, whose weights are set, not trained."""

import flax.linen as nn
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int


class EigenfaceNetwork(nn.Module):
    """Recognizes faces: pattern vector -> distances from stored patterns -> identity.

    The middle layer's units are |z|^2 - 2 p^T z + |p|^2 for the stored patterns p; the unit of the
    smallest distance wins, and the last layer passes its person on. Turk and Pentland, 1991,
    Fig. 12.

    Attributes:
        num_components: the length of a pattern vector.
        num_patterns: the number of stored faces.
        num_people: the number of people.
    """

    num_components: int
    num_patterns: int
    num_people: int

    @nn.compact
    def __call__(
        self, vectors: Float[Array | np.ndarray, "face pixel"]
    ) -> tuple[Float[Array, "face person"], dict[str, Array]]:
        """Returns 1 for the person whose stored face is nearest, and the activations.

        Args:
            vectors: the pixels of each face as a row.

        Returns:
            One row of zeros and a one per face; and the activations `pattern`, the pattern vectors,
            and `distance`, the squared distances.
        """
        pattern = nn.Dense(self.num_components, name="pattern")(vectors)
        products = nn.Dense(self.num_patterns, name="distance")(pattern)
        distance = products + jnp.sum(pattern**2, axis=1, keepdims=True)
        winner = jnp.argmin(distance, axis=1)[:, None] == jnp.arange(self.num_patterns)[None, :]
        people = nn.Dense(self.num_people, use_bias=False, name="identity")(
            winner.astype(distance.dtype)
        )
        return people, {"pattern": pattern, "distance": distance}


def eigenface_weights(
    mean: Float[Array | np.ndarray, " pixel"],
    components: Float[Array | np.ndarray, "pixel component"],
    patterns: Float[Array | np.ndarray, "pattern component"],
    people: Int[np.ndarray, " pattern"],
    num_people: int,
) -> dict:
    """Returns the weights with which the network computes what the matrices do.

    Args:
        mean: the mean face.
        components: the eigenfaces as columns.
        patterns: the pattern vector of each stored face.
        people: the person of each stored face.
        num_people: the number of people.

    Returns:
        The variables of an `EigenfaceNetwork`: U and -U^T mean; -2 P^T and |p|^2; and the table of
        who is who.
    """
    patterns = jnp.asarray(patterns)
    members = people[:, None] == np.arange(num_people)[None, :]
    layers = {
        "pattern": {"kernel": jnp.asarray(components), "bias": -jnp.asarray(mean) @ components},
        "distance": {"kernel": -2.0 * patterns.T, "bias": jnp.sum(patterns**2, axis=1)},
        "identity": {"kernel": jnp.asarray(members, jnp.float32)},
    }
    return {"params": layers}
