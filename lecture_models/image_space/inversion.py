"""Defines the terms of feature inversion: the error of a layer's code, and priors of the image.

Mahendran and Vedaldi, 2015, Understanding deep image representations by inverting them.
"""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float

from lecture_models.image_space.objectives import alpha_norm, total_variation
from lecture_models.image_space.terms import Objective, Term, View

# Root mean square of photos in [-1, 1] around their mean color: that of 50 ImageNet photos of
# 64x64 pixels is 0.52.
CONTRAST = 0.5


class UnitWindow(NamedTuple):
    """Describes a rectangle of units in a feature map.

    Attributes:
        first: row and column of the upper left unit, counted from 0.
        last: row and column of the lower right unit, included.
    """

    first: tuple[int, int]
    last: tuple[int, int]

    def cut(
        self, maps: Float[Array, "image row column channel"]
    ) -> Float[Array, "image window_row window_column channel"]:
        """Returns the maps inside the window."""
        (top, left), (bottom, right) = self
        return maps[:, top : bottom + 1, left : right + 1]


def central(shape: tuple[int, int], side: int) -> UnitWindow:
    """Returns the window of `side` x `side` units in the middle of a map.

    Args:
        shape: rows and columns of the map.
        side: rows and columns of the window. If it cannot lie exactly in the middle, it lies half
            a unit higher or further left.

    Returns:
        The window.

    Raises:
        ValueError: if `side` is below 1 or above a side of the map.
    """
    if not 1 <= side <= min(shape):
        raise ValueError(
            f"the window has {side}x{side} units; on a map of {shape[0]}x{shape[1]} units its side "
            f"must be from 1 to {min(shape)}"
        )
    first = tuple((length - side) // 2 for length in shape)
    return UnitWindow(first, tuple(start + side - 1 for start in first))


def code_error(
    code: Float[Array, "image ..."],
    target: Float[Array, "..."],
    window: UnitWindow | None = None,
) -> Float[Array, " image"]:
    """Returns the squared distance of each image's code from the target, relative to the target.

    ||code - target||^2 / ||target||^2: Mahendran and Vedaldi, 2015, section 2.

    Args:
        code: activations of a layer, (image, ...); (image, row, column, channel) with a window.
        target: activations of the target, without the image axis.
        window: the units that are compared; None for all of them.

    Returns:
        The error of each image: 0 for the same code, 1 for a code of zeros; lower is better.
    """
    target = target[None]
    if window is not None:
        code, target = window.cut(code), window.cut(target)
    squares = jnp.square(code - target).reshape(len(code), -1).sum(1)
    return squares / jnp.maximum(jnp.square(target).sum(), 1e-30)


def code_match(layer: str, window: UnitWindow | None = None) -> Objective:
    """Returns the objective that computes `code_error` of a layer.

    Args:
        layer: name of the layer.
        window: the units that are compared; None for all of them.

    Returns:
        The objective. Its target is the activations of the target, without the image axis.
    """

    def objective(view: View, target: Float[Array, "..."]):
        return code_error(view.activations[layer], target, window)

    return objective


def prior_terms(
    places: int, variation_weight: float, beta: float, alpha_weight: float, alpha: float
) -> tuple[Term, Term]:
    """Returns the two priors of the image, in units that depend on neither its range nor its size.

    lambda_V R_Vbeta(x / sigma) / D and lambda_alpha R_alpha(x / sigma) / D, where sigma is
    `CONTRAST`, the root mean square of a photo, and D = 3 `places`, the number of values. The paper
    divides x by the Euclidean norm of a photo instead, which is the same for an exponent of 2.
    Mahendran and Vedaldi, 2015, section 2.

    Args:
        places: number of pixels of the image.
        variation_weight: lambda_V of the total variation.
        beta: exponent of the total variation.
        alpha_weight: lambda_alpha of the alpha-norm.
        alpha: exponent of the alpha-norm.

    Returns:
        The terms `total_variation` and `alpha_norm`, for images in [-1, 1].
    """
    values = 3 * places
    return (
        Term(
            "total_variation", total_variation(beta), variation_weight / (values * CONTRAST**beta)
        ),
        Term("alpha_norm", alpha_norm(alpha), alpha_weight / (values * CONTRAST**alpha)),
    )
