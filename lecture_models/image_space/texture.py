"""A texture as the Gram matrices of a network's maps, whole or of their principal components."""

from collections.abc import Sequence

import jax.numpy as jnp
from jaxtyping import Array, Float

from lecture_models.image_space.gram import gram_loss, gram_matrix
from lecture_models.image_space.terms import Objective, View

Maps = Float[Array, "image row column channel"]
TextureTarget = dict[str, Array]


def num_parameters(channels: Sequence[int]) -> int:
    """Of a texture model: C (C + 1) / 2 for each layer, a Gram matrix being symmetric.

    Gatys, Ecker and Bethge, 2015, section 3.
    """
    return sum(each * (each + 1) // 2 for each in channels)


def principal_directions(features: Maps, count: int) -> Float[Array, "channel component"]:
    """The eigenvectors of the Gram matrix with the largest eigenvalues, in columns.

    Not centered, as the Gram matrix is not. All of them where there are no more than `count`.
    """
    _, vectors = jnp.linalg.eigh(gram_matrix(features).sum(0))
    return vectors[:, ::-1][:, :count]


def texture_target(
    features: Maps, basis: Float[Array, "channel component"] | None = None
) -> TextureTarget:
    """What `texture_match` is given, from the maps of one source, projected on a basis if any."""
    target = {"places": jnp.asarray(features.shape[1] * features.shape[2], jnp.float32)}
    if basis is not None:
        target["basis"] = basis
    return target | {"gram": gram_matrix(projected(features, target))[0]}


def texture_match(layer: str) -> Objective:
    """`gram_loss` of a layer's maps, projected on the target's `basis` where it has one."""

    def objective(view: View, target: TextureTarget):
        return gram_loss(
            projected(view.activations[layer], target), target["gram"], None, target["places"]
        )

    return objective


def relative_gram_error(features: Maps, target: TextureTarget) -> Float[Array, " image"]:
    """||G - A|| / ||A||, each matrix divided by its number of places; 1 for maps of zeros."""
    places = features.shape[1] * features.shape[2]
    found = gram_matrix(projected(features, target)) / places
    wanted = target["gram"][None] / target["places"]
    return jnp.linalg.norm(found - wanted, axis=(1, 2)) / jnp.linalg.norm(wanted)


def projected(features: Maps, target: TextureTarget) -> Float[Array, "image row column component"]:
    return features @ target["basis"] if "basis" in target else features
