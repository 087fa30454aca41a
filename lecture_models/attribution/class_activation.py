"""Grad-CAM: a layer's maps, weighted by how much the score depends on each."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax.extend.core import Literal
from jaxtyping import Array, Float

Images = Float[Array, "batch height width channel"]
Features = Float[Array, "batch row column feature"]
Network = Callable[[Images], tuple[Float[Array, " batch"], Features]]


def grad_cam(features: Features, gradients: Features) -> Float[Array, "batch row column"]:
    """max(sum over features of (mean over positions of dS/dA) A, 0).

    Selvaraju et al., "Grad-CAM: visual explanations from deep networks via gradient-based
    localization", 2017, equations 1 and 2.
    """
    weights = gradients.mean(axis=(1, 2), keepdims=True)
    return jnp.maximum((weights * features).sum(axis=-1), 0.0)


def features_and_gradients(network: Network, images: Images) -> tuple[Features, Features]:
    """A and dS/dA of what lies between the images and the score.

    `network` gives the score of each image and the features A on the way to it, as models give
    their activations by name; the traced program is run again with something added to A, so no
    model needs a hook. Raises ValueError where the score does not depend on A.
    """

    def outputs(images):
        scores, features = network(images)
        return scores.sum(), features

    program = jax.make_jaxpr(outputs)(images)
    score, features = program.jaxpr.outvars
    if not _depends(program.jaxpr.eqns, features, score):
        raise ValueError("the score does not depend on these features")

    def shifted(offset):
        known = dict(zip(program.jaxpr.constvars, program.consts, strict=True))
        known |= dict(zip(program.jaxpr.invars, [images], strict=True))
        if features in known:
            known[features] = known[features] + offset
        for equation in program.jaxpr.eqns:
            inputs = [
                each.val if isinstance(each, Literal) else known[each] for each in equation.invars
            ]
            parameters = equation.primitive.get_bind_params(equation.params)
            results = equation.primitive.bind(*inputs, **parameters)
            results = results if equation.primitive.multiple_results else [results]
            known |= dict(zip(equation.outvars, results, strict=True))
            if features in equation.outvars:
                known[features] = known[features] + offset
        return known[score], known[features]

    zeros = jnp.zeros(features.aval.shape, features.aval.dtype)
    gradients, values = jax.grad(shifted, has_aux=True)(zeros)
    return values, gradients


def _depends(equations, start, end) -> bool:
    reached = {start}
    for equation in equations:
        inputs = {each for each in equation.invars if not isinstance(each, Literal)}
        if inputs & reached:
            reached |= set(equation.outvars)
    return end in reached
