"""How near the code of an image is to a given one, and the weights of the image's priors."""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float

from lecture_models.image_space.objectives import alpha_norm, total_variation
from lecture_models.image_space.terms import Objective, Term, View

# In [-1, 1], around the mean color: 50 ImageNet photos, reduced to 64x64, have 0.52.
CONTRAST = 0.5


class Window(NamedTuple):
    """The rows and columns of a map from `first` to `last`, both included."""

    first: tuple[int, int]
    last: tuple[int, int]

    def cut(self, maps: Float[Array, "image row column channel"]):
        (top, left), (bottom, right) = self
        return maps[:, top : bottom + 1, left : right + 1]


def central(shape: tuple[int, int], side: int) -> Window:
    """The `side` x `side` units in the middle of a map of (rows, columns), a half rounded down.

    Raises ValueError where the map has fewer.
    """
    if not 1 <= side <= min(shape):
        raise ValueError(f"the central {side}x{side} of a map of {shape[0]}x{shape[1]} units")
    first = tuple((each - side) // 2 for each in shape)
    return Window(first, tuple(each + side - 1 for each in first))


def code_error(
    code: Float[Array, "image ..."], target: Float[Array, "..."], window: Window | None = None
) -> Float[Array, " image"]:
    """||code - target||^2 / ||target||^2, of the units in the window alone where there is one.

    Mahendran and Vedaldi, 2015: near 0 for an image of the same code, about 1
    for one that has none of it.
    """
    target = target[None]
    if window is not None:
        code, target = window.cut(code), window.cut(target)
    squares = jnp.square(code - target).reshape(len(code), -1).sum(1)
    return squares / jnp.maximum(jnp.square(target).sum(), 1e-30)


def code_match(layer: str, window: Window | None = None) -> Objective:
    """`code_error` of a layer; the target is the code, without an axis of images."""

    def objective(view: View, target: Float[Array, "..."]):
        return code_error(view.activations[layer], target, window)

    return objective


def prior_terms(
    places: int, variation_weight: float, beta: float, alpha_weight: float, alpha: float
) -> tuple[Term, Term]:
    """lambda_V R_Vbeta(x / sigma) and lambda_alpha R_alpha(x / sigma), in the paper's units.

    sigma is the Euclidean norm of a photo of so many `places`: the loss does not depend on the unit
    of pixel values. For beta 2 neither does it on the size; for others the powers of the number of
    values are left out, so that it never does. Mahendran and Vedaldi, 2015.
    """
    values = 3 * places
    return (
        Term(
            "total_variation", total_variation(beta), variation_weight / (values * CONTRAST**beta)
        ),
        Term("alpha_norm", alpha_norm(alpha), alpha_weight / (values * CONTRAST**alpha)),
    )
