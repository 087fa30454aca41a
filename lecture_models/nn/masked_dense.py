"""Defines dense layers that see only a part of their inputs, by degrees."""

import flax.linen as nn
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

Degrees = tuple[int, ...]


def degree_mask(
    inputs: Degrees, outputs: Degrees, strict: bool = False
) -> Bool[Array, "input output"]:
    """Tells which weights of a dense layer exist: from an input of no larger degree.

    M[i, j] = inputs[i] <= outputs[j], or < if strict

    Args:
        inputs: the degree of each input: the last position of the sequence that it depends on.
        outputs: the degree of each output.
        strict: whether an output may depend on smaller degrees only, as the last layer's must.

    Returns:
        The mask. Germain et al., "MADE: masked autoencoder for distribution estimation", 2015,
        Eqs. 8 and 9.
    """
    columns, rows = jnp.asarray(outputs)[None, :], jnp.asarray(inputs)[:, None]
    return rows < columns if strict else rows <= columns


def spread_degrees(units: int, length: int) -> Degrees:
    """Spreads the degrees of hidden units evenly over a sequence.

    Args:
        units: the number of hidden units.
        length: the number of elements of the sequence.

    Returns:
        Ascending numbers from 1 to length - 1: a unit of degree `length` would have no output.

    Raises:
        ValueError: the sequence has fewer than two elements.
    """
    if length < 2:
        raise ValueError(f"a sequence has {length} elements; it must have at least 2")
    return tuple((1 + np.arange(units) * (length - 1) // units).tolist())


class MaskedDense(nn.Module):
    """Applies a dense layer whose weights are 0 where `degree_mask` says so.

    Attributes:
        inputs: the degree of each input.
        outputs: the degree of each output.
        strict: whether an output may depend on smaller degrees only.
        use_bias: whether there is a bias.
    """

    inputs: Degrees
    outputs: Degrees
    strict: bool = False
    use_bias: bool = True

    @nn.compact
    def __call__(self, x: Float[Array, "batch input"]) -> Float[Array, "batch output"]:
        """Returns the outputs.

        Raises:
            ValueError: the inputs are not as many as their degrees.
        """
        if x.shape[1] != len(self.inputs):
            raise ValueError(f"there are {x.shape[1]} inputs with {len(self.inputs)} degrees")
        shape = (len(self.inputs), len(self.outputs))
        kernel = self.param("kernel", nn.initializers.lecun_normal(), shape)
        y = x @ jnp.where(degree_mask(self.inputs, self.outputs, self.strict), kernel, 0.0)
        if self.use_bias:
            y = y + self.param("bias", nn.initializers.zeros, shape[1:])[None, :]
        return y
