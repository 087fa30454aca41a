"""Defines recurrent cells: how the state of a sequence moves by one step.

A cell is split where its speed is decided. The product of the inputs with their kernel needs no
state, so `project` computes it for all steps at once; `advance` then takes one step with a single
product of the state with all gates' kernels. `nn/recurrent.py` scans over it.
"""

import math
from collections.abc import Callable, Mapping
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

Weights = Mapping[str, Float[Array, "..."]]
Carry = tuple[Float[Array, "batch _feature"], ...]
Projected = Float[Array, "... gate_feature"]
Initial = Callable[[int], Float[Array, "..."]]

EPSILON = 1e-5  # Is added to a variance before it divides, as in Ba et al., 2016.


class Cell(NamedTuple):
    """Describes a recurrent cell with h features.

    Its weights are `input_kernel` (input, gates * h), `recurrent_kernel` (h, gates * h), `bias`
    (gates * h,) and those of `extra`. The blocks of h columns belong to one gate each.

    Attributes:
        name: how tables call it.
        gates: the number of blocks in the kernels.
        carries: the number of arrays in the carry, all (batch, h); the first is the output.
        advance: `advance(weights, carry, projected)` returns the carry after one step.
        bias: `bias(h)` returns the initial biases.
        extra: name and `initial(h)` of each further weight.
        normalizes_inputs: whether the input product is layer-normalized before the bias is added.
    """

    name: str
    gates: int
    carries: int
    advance: Callable[[Weights, Carry, Projected], Carry]
    bias: Callable[[int], Float[Array, " gate_feature"]]
    extra: tuple[tuple[str, Initial], ...] = ()
    normalizes_inputs: bool = False

    def num_parameters(self, features: int, inputs: int) -> int:
        """Returns the number of weights, which does not depend on the length of a sequence."""
        kernels = (features + inputs + 1) * self.gates * features
        shapes = (jax.eval_shape(lambda make=make: make(features)) for _, make in self.extra)
        return kernels + sum(math.prod(shape.shape) for shape in shapes)


def project(cell: Cell, weights: Weights, product: Projected) -> Projected:
    """Returns what the inputs add to the gates, for one step or for all.

    Args:
        cell: the cell.
        weights: its weights, of which `bias` is used, and `input_scale` where the cell normalizes.
        product: inputs @ input_kernel.

    Returns:
        `product`, normalized if the cell says so, with the bias added.
    """
    if cell.normalizes_inputs:
        product = _layer_norm(product, weights["input_scale"])
    return product + jnp.broadcast_to(weights["bias"], product.shape)


def zero_carry(cell: Cell, batch: int, features: int) -> Carry:
    """Returns the carry before the first step.

    Args:
        cell: the cell.
        batch: the number of sequences.
        features: the number of features h.

    Returns:
        Zeros.
    """
    # One array each: a donated state must not hold the same buffer twice.
    return tuple(jnp.zeros((batch, features)) for _ in range(cell.carries))


def rnn(nonlinearity: Callable[[Array], Array] = jnp.tanh, name: str = "RNN") -> Cell:
    """Returns the plain recurrent cell.

    h_t = f(W_hh h_(t-1) + W_xh x_t + b)

    Args:
        nonlinearity: f.
        name: how tables call it.

    Returns:
        The cell; its carry is (h,). Elman, 1990.
    """

    def advance(weights: Weights, carry: Carry, projected: Projected) -> Carry:
        (hidden,) = carry
        return (nonlinearity(projected + hidden @ weights["recurrent_kernel"]),)

    return Cell(name, 1, 1, advance, jnp.zeros)


def lstm(
    forget_bias: float = 1.0, peephole: bool = False, layer_norm: bool = False, name: str = "LSTM"
) -> Cell:
    """Returns the cell with long short-term memory, whose gates are in the order i, f, g, o.

    f_t = sigmoid(W_f [h_(t-1), x_t] + b_f)  (the slide prints W_i here)
    i_t = sigmoid(W_i [h_(t-1), x_t] + b_i),  g_t = tanh(W_C [h_(t-1), x_t] + b_C)
    C_t = f_t * C_(t-1) + i_t * g_t
    o_t = sigmoid(W_o [h_(t-1), x_t] + b_o),  h_t = o_t * tanh(C_t)

    Args:
        forget_bias: the initial b_f. At 1 the gate starts almost open, so that gradients last:
            Gers et al., 2000; Jozefowicz et al., 2015.
        peephole: whether i and f also see C_(t-1), and o sees C_t, each through a diagonal kernel:
            Gers and Schmidhuber, 2000.
        layer_norm: whether W_h h, W_x x and C_t are normalized over their features: Ba et al.,
            2016, Eq. 20 to 22.
        name: how tables call it.

    Returns:
        The cell; its carry is (h, C). Hochreiter and Schmidhuber, 1997. It has
        4 (h (h + x) + h) weights without the options.
    """

    def advance(weights: Weights, carry: Carry, projected: Projected) -> Carry:
        hidden, memory = carry
        product = hidden @ weights["recurrent_kernel"]
        if layer_norm:
            product = _layer_norm(product, weights["recurrent_scale"])
        admit, forget, candidate, release = jnp.split(projected + product, 4, axis=-1)
        if peephole:
            seen = weights["peephole"]
            admit = admit + seen[0][None] * memory
            forget = forget + seen[1][None] * memory
        kept = jax.nn.sigmoid(forget) * memory
        memory = kept + jax.nn.sigmoid(admit) * jnp.tanh(candidate)
        if peephole:
            release = release + seen[2][None] * memory
        shown = memory
        if layer_norm:
            shown = _layer_norm(memory, weights["memory_scale"])
            shown = shown + weights["memory_bias"][None]
        return jax.nn.sigmoid(release) * jnp.tanh(shown), memory

    def bias(features: int) -> Float[Array, " gate_feature"]:
        return jnp.repeat(jnp.array([0.0, forget_bias, 0.0, 0.0]), features)

    extra: list[tuple[str, Initial]] = []
    if peephole:
        extra.append(("peephole", lambda features: jnp.zeros((3, features))))
    if layer_norm:
        extra += [
            (scale, lambda features: jnp.ones(4 * features))
            for scale in ("input_scale", "recurrent_scale")
        ]
        extra += [("memory_scale", jnp.ones), ("memory_bias", jnp.zeros)]
    return Cell(name, 4, 2, advance, bias, tuple(extra), layer_norm)


def gru(name: str = "GRU") -> Cell:
    """Returns the gated recurrent unit, whose gates are in the order r, z, n.

    r_t = sigmoid(W_r [h_(t-1), x_t] + b_r),  z_t = sigmoid(W_z [h_(t-1), x_t] + b_z)
    n_t = tanh(W_xn x_t + b_n + r_t * (W_hn h_(t-1) + b_hn))
    h_t = (1 - z_t) * n_t + z_t * h_(t-1)

    The reset gate acts after the product, as in cuDNN and PyTorch, so that all gates share one
    product; in Cho et al., 2014, it acts before, and z and 1 - z are exchanged.

    Args:
        name: how tables call it.

    Returns:
        The cell; its carry is (h,). It has 3 (h (h + x) + h) + h weights; PyTorch has further 2 h,
        because it adds two biases to r and z.
    """

    def advance(weights: Weights, carry: Carry, projected: Projected) -> Carry:
        (hidden,) = carry
        features = hidden.shape[-1]
        product = hidden @ weights["recurrent_kernel"]
        gates = jax.nn.sigmoid(projected[:, : 2 * features] + product[:, : 2 * features])
        reset, update = jnp.split(gates, 2, axis=-1)
        inner = product[:, 2 * features :] + weights["candidate_bias"][None]
        candidate = jnp.tanh(projected[:, 2 * features :] + reset * inner)
        return (candidate + update * (hidden - candidate),)

    extra = (("candidate_bias", jnp.zeros),)
    return Cell(name, 3, 1, advance, lambda features: jnp.zeros(3 * features), extra)


def _layer_norm(values: Projected, scale: Float[Array, " gate_feature"]) -> Projected:
    """Returns values of mean 0 and variance 1 along the last axis, times a learned scale."""
    centered = values - values.mean(axis=-1, keepdims=True)
    variance = jnp.square(centered).mean(axis=-1, keepdims=True)
    return centered * jax.lax.rsqrt(variance + EPSILON) * jnp.broadcast_to(scale, values.shape)
