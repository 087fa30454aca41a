"""Computes Grad-CAM and its relatives: a layer's feature maps, weighted by the class score.

Selvaraju et al., 2017, Grad-CAM: visual explanations from deep networks via gradient-based
localization. Chattopadhay et al., 2018, Grad-CAM++: generalized gradient-based visual explanations
for deep convolutional networks.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax.extend.core import Literal
from jaxtyping import Array, Float

Images = Float[Array, "batch height width channel"]
Features = Float[Array, "batch row column feature"]
CoarseMaps = Float[Array, "batch row column"]
Network = Callable[[Images], tuple[Float[Array, " batch"], Features]]


def grad_cam(features: Features, gradients: Features) -> CoarseMaps:
    """Returns the Grad-CAM map of each image, at the resolution of the layer.

    max(sum over features k of (mean over positions of dS/dA_k) A_k, 0): equations 1 and 2.

    Args:
        features: feature maps A of a layer, (batch, row, column, feature).
        gradients: gradient dS/dA of each image's score S with respect to them.

    Returns:
        The maps, at least 0; higher where there is more evidence for the class.
    """
    weights = gradients.mean(axis=(1, 2), keepdims=True)
    return jnp.maximum((weights * features).sum(axis=-1), 0.0)


def grad_cam_plus_plus(features: Features, gradients: Features) -> CoarseMaps:
    """Returns the Grad-CAM++ map of each image, at the resolution of the layer.

    max(sum over k of w_k A_k, 0), where w_k is the sum over positions p of alpha_kp max(g_kp, 0),
    and alpha_kp = g_kp^2 / (2 g_kp^2 + g_kp^3 sum over positions q of A_kq), with g = dS/dA:
    equations 1, 5 and 19, the latter for the score Y = exp(S). The paper multiplies the gradient
    by the factor Y. It is left out here, because it would scale whole maps and overflow; so this is
    the paper's map divided by Y. Where g is 0, alpha is 0.

    Args:
        features: feature maps A of a layer, (batch, row, column, feature), at least 0.
        gradients: gradient dS/dA of each image's score S with respect to them.

    Returns:
        The maps, at least 0; higher where there is more evidence for the class.
    """
    sums = features.sum(axis=(1, 2), keepdims=True)
    # Divided by g^2, so that small gradients do not underflow.
    denominators = 2.0 + gradients * sums
    has_share = (gradients != 0.0) & (denominators != 0.0)
    shares = jnp.where(has_share, 1.0 / jnp.where(has_share, denominators, 1.0), 0.0)
    weights = (shares * jnp.maximum(gradients, 0.0)).sum(axis=(1, 2), keepdims=True)
    return jnp.maximum((weights * features).sum(axis=-1), 0.0)


def enlarged(maps: CoarseMaps, height: int, width: int) -> Float[Array, "batch height width"]:
    """Returns maps at the resolution of the image, by linear interpolation.

    Args:
        maps: the maps at the resolution of a layer.
        height: height of the image in pixels.
        width: width of the image in pixels.

    Returns:
        The maps.
    """
    return jax.image.resize(maps, (len(maps), height, width), "linear")


def features_and_gradients(network: Network, images: Images) -> tuple[Features, Features]:
    """Returns the feature maps A of a layer, and the gradient dS/dA of each image's score S.

    Traces the network and evaluates the traced program with an offset added to A, so no model needs
    a hook.

    Args:
        network: computes the score of each image, and the feature maps from which the score is
            computed. An image's score must depend on that image only.
        images: the images.

    Returns:
        The feature maps and the gradients, both (batch, row, column, feature).

    Raises:
        ValueError: if the score is not computed from the feature maps.
    """

    def outputs(images):
        scores, features = network(images)
        return scores.sum(), features

    program = jax.make_jaxpr(outputs)(images)
    score, features = program.jaxpr.outvars
    if not _depends(program.jaxpr.eqns, features, score):
        raise ValueError("the score does not depend on these features")

    def shifted(offset):
        values = dict(zip(program.jaxpr.constvars, program.consts, strict=True))
        values |= dict(zip(program.jaxpr.invars, [images], strict=True))
        if features in values:
            values[features] = values[features] + offset
        for equation in program.jaxpr.eqns:
            inputs = [
                atom.val if isinstance(atom, Literal) else values[atom] for atom in equation.invars
            ]
            parameters = equation.primitive.get_bind_params(equation.params)
            results = equation.primitive.bind(*inputs, **parameters)
            results = results if equation.primitive.multiple_results else [results]
            values |= dict(zip(equation.outvars, results, strict=True))
            if features in equation.outvars:
                values[features] = values[features] + offset
        return values[score], values[features]

    zeros = jnp.zeros(features.aval.shape, features.aval.dtype)
    gradients, maps = jax.grad(shifted, has_aux=True)(zeros)
    return maps, gradients


def _depends(equations, start, end) -> bool:
    reached = {start}
    for equation in equations:
        inputs = {atom for atom in equation.invars if not isinstance(atom, Literal)}
        if inputs & reached:
            reached |= set(equation.outvars)
    return end in reached
