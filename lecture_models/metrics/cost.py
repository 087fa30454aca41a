"""What a network costs: parameters, and multiply-adds read from the traced program."""

import math
from collections.abc import Callable, Iterator
from typing import Any

import jax


def count_parameters(params: Any) -> int:
    """Numbers in a pytree of arrays, or of their shapes (`jax.eval_shape`)."""
    return sum(math.prod(leaf.shape) for leaf in jax.tree.leaves(params))


def multiply_adds(function: Callable[..., Any], *args: Any) -> int:
    """Products that convolutions and matrix products sum up, in one call of `function`.

    Nothing is computed: arguments may be shapes (`jax.ShapeDtypeStruct`). A FLOP count that takes
    a multiplication and an addition for two is twice this.

    Counted: for every output of a convolution the filter's elements that it meets, those on zero
    padding too, as papers count; a dilated filter only with its own elements; a group only with
    its own channels; in a transposed convolution not the zeros put between the inputs, so that a
    layer costs its inputs times its filter. A scan counts as often as it runs, of `cond` the most
    expensive branch. Not counted: biases, nonlinearities, normalization, pooling. What is traced
    counts, whether its result is used or not.

    Raises ValueError for a `while_loop` that holds products: how often it runs is not known.
    """
    return multiply_adds_and_shapes(function, *args)[0]


def multiply_adds_and_shapes(function: Callable[..., Any], *args: Any) -> tuple[int, Any]:
    """`multiply_adds`, and the shapes of what the function returns, of one tracing."""
    program, shapes = jax.make_jaxpr(function, return_shape=True)(*args)
    return _count(program.jaxpr), shapes


def _count(jaxpr: Any) -> int:
    return sum(_count_equation(equation) for equation in jaxpr.eqns)


def _count_equation(equation: Any) -> int:
    name, params = equation.primitive.name, equation.params
    if name == "conv_general_dilated":
        return _convolution(equation)
    if name == "dot_general":
        (contracted, _), _ = params["dimension_numbers"]
        left, output = equation.invars[0].aval.shape, equation.outvars[0].aval.shape
        return math.prod(output) * math.prod(left[axis] for axis in contracted)
    counts = [_count(inner) for inner in _inner(params.values())]
    if name == "while" and any(counts):
        raise ValueError("a while_loop holds products: how often it runs is not in the program")
    if name == "cond":
        return max(counts)
    return sum(counts) * (params["length"] if name == "scan" else 1)


def _inner(values: Any) -> Iterator[Any]:
    """The programs among an equation's parameters."""
    for value in values:
        if isinstance(value, tuple | list):
            yield from _inner(value)
        elif hasattr(value, "eqns"):
            yield value
        elif hasattr(value, "jaxpr") and hasattr(value.jaxpr, "eqns"):
            yield value.jaxpr


def _convolution(equation: Any) -> int:
    params, numbers = equation.params, equation.params["dimension_numbers"]
    kernel, output = equation.invars[1].aval.shape, equation.outvars[0].aval.shape
    _, input_axis, *kernel_axes = numbers.rhs_spec
    batch_axis, feature_axis, *output_axes = numbers.out_spec
    taps = (
        _taps(output[output_axis], kernel[kernel_axis], stride, low, spread, dilation)
        for output_axis, kernel_axis, stride, (low, _), spread, dilation in zip(
            output_axes,
            kernel_axes,
            params["window_strides"],
            params["padding"],
            params["lhs_dilation"],
            params["rhs_dilation"],
            strict=True,
        )
    )
    # The kernel's input axis holds the channels of one group only.
    return output[batch_axis] * output[feature_axis] * kernel[input_axis] * math.prod(taps)


def _taps(outputs: int, taps: int, stride: int, low: int, spread: int, dilation: int) -> int:
    """Pairs of output and filter element along one axis that meet no zero put between inputs."""
    if spread == 1:
        return outputs * taps
    return sum(
        (output * stride + tap * dilation - low) % spread == 0
        for output in range(outputs)
        for tap in range(taps)
    )
