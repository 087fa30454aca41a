"""Computes Gram matrices of feature maps, which describe a texture or a style, and their loss."""

import jax.numpy as jnp
from jaxtyping import Array, Float


def gram_matrix(
    features: Float[Array, "image row column channel"],
    mask: Float[Array, "row column"] | None = None,
) -> Float[Array, "image channel channel"]:
    """Returns the Gram matrix of each image's feature maps.

    G_ij = sum over positions k of F_ik F_jk; it is not divided by the number of positions. Gatys,
    Ecker and Bethge, 2016, equation 3.

    Args:
        features: feature maps, (image, row, column, channel).
        mask: weight of each position; F is multiplied by it first, so a position counts with the
            square of its weight. None weights all positions by 1.

    Returns:
        Symmetric matrices, (image, channel, channel).
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
    """Returns the style loss of one layer: the squared distance of Gram matrices.

    E = sum over i, j of (G_ij / M - A_ij / M_A)^2 / (4 N^2), with N channels. For M = M_A, the
    number of positions, it is equation 4 of Gatys, Ecker and Bethge, 2016.

    Args:
        features: feature maps of the images, (image, row, column, channel).
        target: Gram matrix A of the target image, (channel, channel).
        mask: weight of each position, as in `gram_matrix`. M is then the sum of its squares.
        target_places: number M_A of positions that A sums over; None for M.

    Returns:
        The loss of each image, at least 0; lower is better.
    """
    places = gram_places(*features.shape[1:3], mask)
    return gram_distance(gram_matrix(features, mask), places, target, target_places)


def gram_places(
    rows: int, columns: int, mask: Float[Array, "row column"] | None = None
) -> Float[Array, ""]:
    """Returns how many positions a Gram matrix sums over.

    Args:
        rows: rows of the features.
        columns: columns of the features.
        mask: weight of each position in [0, 1]; None for 1 everywhere.

    Returns:
        Their number M; with a mask, the sum of its squares.
    """
    if mask is None:
        return jnp.asarray(rows * columns, jnp.float32)
    return jnp.square(mask).sum()


def gram_distance(
    grams: Float[Array, "image channel channel"],
    places: Float[Array, ""],
    target: Float[Array, "channel channel"],
    target_places: Float[Array, ""] | None = None,
) -> Float[Array, " image"]:
    """Returns the style loss of one layer from Gram matrices; see `gram_loss`.

    Args:
        grams: Gram matrices of the images, (image, channel, channel).
        places: number of positions that they sum over, or the sum of the squares of a mask.
        target: Gram matrix A of the target image, (channel, channel).
        target_places: number M_A of positions that A sums over; None for `places`.

    Returns:
        The loss of each image, at least 0; lower is better.
    """
    channels = grams.shape[-1]
    mean_gram = grams / places
    target_gram = target[None] / (places if target_places is None else target_places)
    return jnp.square(mean_gram - target_gram).sum((1, 2)) / (4.0 * channels**2)
