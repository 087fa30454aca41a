"""What a network is, read from its traced program: nothing of it is computed or stored."""

from typing import Any, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp

from lecture_models.metrics.cost import count_parameters, multiply_adds_and_shapes

COUNTED = "counted in the parameters"
TRACED = "computed from the traced program"


class Traced(NamedTuple):
    """For one image: `shapes` are those of the activations by name, and of the logits."""

    params: dict[str, Any]
    shapes: dict[str, tuple[int, ...]]
    multiply_adds: int

    @property
    def num_params(self) -> int:
        return count_parameters(self.params)

    def kernels(self) -> list[jax.ShapeDtypeStruct]:
        """One for each convolution and matrix."""
        found = jax.tree_util.tree_leaves_with_path(self.params)
        return [leaf for path, leaf in found if path[-1].key == "kernel"]


def trace(model: nn.Module, *sizes: int) -> Traced:
    """The network as it begins, run on an image of `sizes`, height, width and channels.

    Drawing the parameters takes no products, so that those of the program are the network's.
    """
    image = jax.ShapeDtypeStruct((1, *sizes), jnp.float32)
    products, ((logits, activations), variables) = multiply_adds_and_shapes(
        model.init_with_output, jax.random.key(0), image
    )
    shapes = {name: activations[name].shape[1:] for name in activations}
    return Traced(variables["params"], shapes | {"logits": logits.shape[1:]}, products)


def by(shape: tuple[int, ...]) -> str:
    """(55, 55, 96) as 55x55x96."""
    return "x".join(map(str, shape))
