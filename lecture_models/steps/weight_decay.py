"""Defines weight decay as an L2 penalty, whose gradient passes through the momentum too."""

import jax
import optax

from lecture_models.steps.descent import Params


def are_kernels(params: Params) -> Params:
    """Marks the weights of layers among the parameters.

    Args:
        params: a pytree of parameters, named as linen names them.

    Returns:
        A tree of the same structure: True for kernels, False for biases and normalization.
    """
    return jax.tree_util.tree_map_with_path(
        lambda path, leaf: jax.tree_util.keystr(path[-1:], simple=True) == "kernel", params
    )


def l2_penalty(rate: float, kernels_only: bool) -> optax.GradientTransformation:
    """Returns a transformation that adds the gradient of (rate/2) |w|^2.

    Chain it before momentum or Adam: unlike AdamW's decay, this one passes through them.

    Args:
        rate: the weight of the penalty.
        kernels_only: whether only kernels decay, or all parameters.

    Returns:
        The transformation of gradients.
    """
    return optax.add_decayed_weights(rate, are_kernels if kernels_only else None)
