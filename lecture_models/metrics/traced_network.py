"""Describes a network from its traced program: nothing of it is computed or stored."""

from typing import Any, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp

from lecture_models.metrics.cost import count_parameters, multiply_adds_and_shapes

COUNTED = "counted in the parameters"
TRACED = "computed from the traced program"


class TracedNetwork(NamedTuple):
    """Describes a network applied to one image.

    Attributes:
        params: the shapes of the parameters, as linen nests them.
        shapes: the shapes of the activations by name, and of the `logits`, without the batch axis.
        multiply_adds: the products summed up for the image.
    """

    params: dict[str, Any]
    shapes: dict[str, tuple[int, ...]]
    multiply_adds: int

    @property
    def num_params(self) -> int:
        """Returns the number of parameters."""
        return count_parameters(self.params)

    def kernels(self) -> list[jax.ShapeDtypeStruct]:
        """Returns the shape of the weights of each convolution and each dense layer."""
        leaves = jax.tree_util.tree_leaves_with_path(self.params)
        return [leaf for path, leaf in leaves if path[-1].key == "kernel"]


def trace(model: nn.Module, *sizes: int) -> TracedNetwork:
    """Traces a network, together with the drawing of its parameters.

    That drawing takes no products, so that all those of the program are the network's.

    Args:
        model: a linen network that returns (logits, activations).
        *sizes: height, width and channels of the image.

    Returns:
        The description.
    """
    image = jax.ShapeDtypeStruct((1, *sizes), jnp.float32)
    products, ((logits, activations), variables) = multiply_adds_and_shapes(
        model.init_with_output, jax.random.key(0), image
    )
    shapes = {name: activations[name].shape[1:] for name in activations}
    return TracedNetwork(variables["params"], shapes | {"logits": logits.shape[1:]}, products)


def format_shape(shape: tuple[int, ...]) -> str:
    """Formats (55, 55, 96) as 55x55x96.

    Args:
        shape: the shape.

    Returns:
        The sizes joined by "x".
    """
    return "x".join(map(str, shape))
