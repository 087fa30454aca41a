"""Counts what a network costs: parameters, and multiply-adds read from the traced program."""

import math
from collections.abc import Callable
from typing import Any

import jax
from jax.extend.core import Jaxpr, JaxprEqn

from lecture_models.metrics.jaxpr import inner_programs


def count_parameters(params: Any) -> int:
    """Counts the numbers in a pytree.

    Args:
        params: a pytree of arrays, or of their shapes (`jax.eval_shape`).

    Returns:
        The number of elements of all arrays together.
    """
    return sum(math.prod(leaf.shape) for leaf in jax.tree.leaves(params))


def multiply_adds(function: Callable[..., Any], *args: Any) -> int:
    """Counts the products that convolutions and matrix products sum up, in one call.

    A FLOP count in which a multiplication and an addition are two operations is twice this.

    For every output of a convolution, the elements of the filter are counted, also those on zero
    padding, as papers do. A dilated filter counts only its own elements, a group only its own
    channels; in a transposed convolution the zeros put between the inputs do not count, so that
    the layer costs its inputs times its filter. A scan counts as often as it runs, a `cond` as its
    most expensive branch. Biases, nonlinearities, normalization and pooling do not count. All that
    is traced counts, whether its result is used or not.

    Args:
        function: the function to trace. Nothing is computed.
        *args: its arguments: arrays, or their shapes (`jax.ShapeDtypeStruct`).

    Returns:
        The number of multiply-adds.

    Raises:
        ValueError: a `while_loop` holds products, and how often it runs is not in the program.
    """
    return multiply_adds_and_shapes(function, *args)[0]


def multiply_adds_and_shapes(function: Callable[..., Any], *args: Any) -> tuple[int, Any]:
    """Counts as `multiply_adds` does, and returns the shapes of the results from the same tracing.

    Args:
        function: the function to trace. Nothing is computed.
        *args: its arguments: arrays, or their shapes.

    Returns:
        The number of multiply-adds, and the shapes of what the function returns.

    Raises:
        ValueError: as `multiply_adds`.
    """
    program, shapes = jax.make_jaxpr(function, return_shape=True)(*args)
    return _count(program.jaxpr), shapes


def _count(program: Jaxpr) -> int:
    return sum(map(_count_equation, program.eqns))


def _count_equation(equation: JaxprEqn) -> int:
    name, params = equation.primitive.name, equation.params
    if name == "conv_general_dilated":
        return _convolution(equation)
    if name == "dot_general":
        (contracted, _), _ = params["dimension_numbers"]
        left, output = equation.invars[0].aval.shape, equation.outvars[0].aval.shape
        return math.prod(output) * math.prod(left[axis] for axis in contracted)
    counts = [_count(program) for program in inner_programs(equation)]
    if name == "while" and any(counts):
        raise ValueError(
            "a while_loop holds products, and how often it runs is not in the program; "
            "use a scan of known length"
        )
    if name == "cond":
        return max(counts)
    return sum(counts) * (params["length"] if name == "scan" else 1)


def _convolution(equation: JaxprEqn) -> int:
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
    """Counts pairs of output and filter element, along one axis, that meet an input.

    The other pairs meet a zero put between inputs; padding counts as input.
    """
    if spread == 1:
        return outputs * taps
    return sum(
        (output * stride + tap * dilation - low) % spread == 0
        for output in range(outputs)
        for tap in range(taps)
    )
