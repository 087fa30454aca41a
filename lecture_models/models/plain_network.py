"""Gives any Flax network the form that networks have here: logits, and named activations."""

import inspect
from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
from flax import linen as nn
from flax.traverse_util import flatten_dict
from jaxtyping import Array, Float

# Arguments by which networks are told that they are not trained, and the value that says so.
QUIET = {"training": False, "train": False, "deterministic": True, "use_running_average": True}


class PlainNetwork(nn.Module):
    """Computes logits, and the outputs of all layers by name, from images.

    Its variables are those of the network. An activation is named after the submodule that computed
    it, such as `conv1` or `block/conv1`, or after the name with which `sow` stored it. Where the
    network itself returns a dict of activations behind its logits, they are added.

    Attributes:
        network: the network; it takes images, and returns logits or (logits, activations).
        num_classes: the number of classes; 0 means that logits have shape (batch, 0). Images may
            then have any size: the first dense layer that another size does not fit, and what is
            computed after it, is left out.
        nonlinearity: replaces the network's field of this name; None leaves it as it is.
    """

    network: nn.Module
    num_classes: int
    nonlinearity: Callable[[Array], Array] | None = None

    @nn.compact
    def __call__(
        self, images: Float[Array, "batch height width channel"], training: bool = False
    ) -> tuple[Float[Array, "batch class"], dict[str, Float[Array, "batch ..."]]]:
        """Returns logits and the activations by name.

        Args:
            images: the images, preprocessed.
            training: has no effect: the network is never trained here.
        """
        rule = {} if self.nonlinearity is None else {"nonlinearity": self.nonlinearity}
        network = self.network.clone(parent=None, **rule)
        left_out: set[str] = set()

        def fitting(call: Any, args: Any, kwargs: Any, context: Any) -> Any:
            module = context.module
            if left_out or not _fits(module, args):
                left_out.add("/".join(module.path))
            return call(*args, **kwargs) if _fits(module, args) else _zeros(module, *args)

        with nn.intercept_methods(_unchanged if self.num_classes else fitting):
            output, captured = network.apply(
                self.variables,
                images,
                capture_intermediates=True,
                mutable=["intermediates"],
                **quiet_arguments(network),
            )
        logits, named = output if isinstance(output, tuple) else (output, {})
        activations = {
            name: value
            for name, value in _by_name(captured["intermediates"]).items()
            if name not in left_out and getattr(value, "ndim", 0) > 1 and len(value) == len(images)
        }
        logits = logits if self.num_classes else jnp.zeros((len(images), 0))
        return logits, activations | named


def quiet_arguments(network: nn.Module) -> dict[str, bool]:
    """Returns the arguments that switch off what a network does in training alone.

    Args:
        network: the network.

    Returns:
        Those of `QUIET` that its `__call__` has.
    """
    parameters = inspect.signature(type(network).__call__).parameters
    return {name: value for name, value in QUIET.items() if name in parameters}


def _unchanged(call: Any, args: Any, kwargs: Any, context: Any) -> Any:
    return call(*args, **kwargs)


def _fits(module: nn.Module, args: tuple[Any, ...]) -> bool:
    """Tells whether a dense layer has as many weights as its input has values."""
    if not isinstance(module, nn.Dense) or not args or not module.has_variable("params", "kernel"):
        return True
    return module.get_variable("params", "kernel").shape[0] == args[0].shape[-1]


def _zeros(module: nn.Dense, inputs: Array) -> Array:
    return jnp.zeros((*inputs.shape[:-1], module.features), inputs.dtype)


def _by_name(intermediates: Any) -> dict[str, Any]:
    """Returns the last output of each submodule, and what was sown; not the network's own."""
    flat = flatten_dict(intermediates)
    named = {
        "/".join(path[:-1] if path[-1] == "__call__" else path): outputs[-1]
        for path, outputs in flat.items()
    }
    return {name: value for name, value in named.items() if name}
