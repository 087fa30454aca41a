"""Weight decay as the papers have it: a penalty whose gradient the momentum sees too."""

import jax
import optax

from lecture_models.steps.descent import Params


def are_kernels(params: Params) -> Params:
    """A tree of booleans: True for the weights of layers, False for biases and normalization."""
    return jax.tree_util.tree_map_with_path(
        lambda path, leaf: jax.tree_util.keystr(path[-1:], simple=True) == "kernel", params
    )


def l2_penalty(rate: float, kernels_only: bool) -> optax.GradientTransformation:
    """Adds `rate` times the parameters to the gradient, as (rate/2) |w|^2 in the loss would.

    To come before momentum or Adam: unlike AdamW's, this decay goes through them. All parameters
    decay, or kernels only.
    """
    return optax.add_decayed_weights(rate, are_kernels if kernels_only else None)
