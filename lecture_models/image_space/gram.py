"""Gram matrices: which channels of a map go together, wherever they do."""

import jax.numpy as jnp
from jaxtyping import Array, Float


def gram_matrix(
    features: Float[Array, "image row column channel"],
    mask: Float[Array, "row column"] | None = None,
) -> Float[Array, "image channel channel"]:
    """G_ij = sum over places k of F_ik F_jk, not divided by their number.

    With a `mask` each place counts with the square of its weight: F is masked first. Gatys, Ecker
    and Bethge, 2016, eq. 3.
    """
    if mask is not None:
        features = features * mask[None, :, :, None]
    flat = features.reshape(len(features), -1, features.shape[-1])
    return jnp.einsum("nki,nkj->nij", flat, flat)


def gram_loss(
    features: Float[Array, "image row column channel"],
    target: Float[Array, "channel channel"],
    mask: Float[Array, "row column"] | None = None,
    target_places: Float[Array, ""] | None = None,
) -> Float[Array, " image"]:
    """E = sum of (G - A)^2 / (4 N^2 M^2), with N channels and M places.

    The target A comes from a picture of `target_places` places, M where not given; each matrix is
    divided by its own M, which is the printed formula where they are equal. Under a `mask` M is the
    sum of its squares. Gatys, Ecker and Bethge, 2016, eq. 4.
    """
    channels = features.shape[-1]
    places = jnp.asarray(features.shape[1] * features.shape[2], jnp.float32)
    if mask is not None:
        places = jnp.square(mask).sum()
    found = gram_matrix(features, mask) / places
    wanted = target[None] / (places if target_places is None else target_places)
    return jnp.square(found - wanted).sum((1, 2)) / (4.0 * channels**2)
