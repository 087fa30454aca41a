"""Describes a texture by Gram matrices of a network's feature maps or their principal components.

Gatys, Ecker and Bethge, 2015, Texture synthesis using convolutional neural networks.
"""

from collections.abc import Sequence

import jax.numpy as jnp
from jaxtyping import Array, Float

from lecture_models.image_space.gram import gram_loss, gram_matrix
from lecture_models.image_space.terms import Objective, View

Maps = Float[Array, "image row column channel"]
TextureTarget = dict[str, Array]


def num_parameters(channels: Sequence[int]) -> int:
    """Returns the number of parameters of a texture model.

    The sum over layers of C (C + 1) / 2, because a Gram matrix is symmetric. Section 3 of the
    paper.

    Args:
        channels: number C of channels, or of principal components, of each layer.

    Returns:
        The number of independent entries of the Gram matrices.
    """
    return sum(count * (count + 1) // 2 for count in channels)


def principal_directions(features: Maps, count: int) -> Float[Array, "channel component"]:
    """Returns the eigenvectors of the Gram matrix with the largest eigenvalues.

    They are principal components of features that are not centered, as in the Gram matrix.

    Args:
        features: feature maps, (image, row, column, channel); their Gram matrices are added.
        count: number of eigenvectors; all of them if there are fewer.

    Returns:
        Unit vectors in columns, in decreasing order of their eigenvalues.
    """
    _, vectors = jnp.linalg.eigh(gram_matrix(features).sum(0))
    return vectors[:, ::-1][:, :count]


def texture_target(
    features: Maps, basis: Float[Array, "channel component"] | None = None
) -> TextureTarget:
    """Returns the texture model of one source for one layer.

    Args:
        features: feature maps of the source, (1, row, column, channel).
        basis: directions onto which features are projected, in columns; None for no projection.

    Returns:
        A dict with `gram`, the Gram matrix; `places`, the number of positions it sums over; and
        `basis`, if there is one.
    """
    target = {"places": jnp.asarray(features.shape[1] * features.shape[2], jnp.float32)}
    if basis is not None:
        target["basis"] = basis
    return target | {"gram": gram_matrix(project(features, target))[0]}


def texture_match(layer: str) -> Objective:
    """Returns the objective that computes `gram_loss` of a layer, after the target's projection.

    Args:
        layer: name of the layer.

    Returns:
        The objective. Its target is what `texture_target` returns.
    """

    def objective(view: View, target: TextureTarget):
        return gram_loss(
            project(view.activations[layer], target), target["gram"], None, target["places"]
        )

    return objective


def relative_gram_error(features: Maps, target: TextureTarget) -> Float[Array, " image"]:
    """Returns the distance of each image's Gram matrix from the target's, relative to the latter.

    ||G - A|| / ||A||: Frobenius norms of matrices that are divided by their number of positions.

    Args:
        features: feature maps of the images, (image, row, column, channel).
        target: what `texture_target` returns.

    Returns:
        The error of each image: 0 for the same texture, 1 for maps of zeros; lower is better.
    """
    places = features.shape[1] * features.shape[2]
    gram = gram_matrix(project(features, target)) / places
    target_gram = target["gram"][None] / target["places"]
    return jnp.linalg.norm(gram - target_gram, axis=(1, 2)) / jnp.linalg.norm(target_gram)


def project(features: Maps, target: TextureTarget) -> Float[Array, "image row column component"]:
    """Returns feature maps projected onto the target's basis.

    Args:
        features: feature maps, (image, row, column, channel).
        target: what `texture_target` returns.

    Returns:
        Maps with one channel per direction of the basis; the features themselves without a basis.
    """
    return features @ target["basis"] if "basis" in target else features
