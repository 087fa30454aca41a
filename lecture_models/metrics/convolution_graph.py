"""Measures a network's depth and counts the paths through it, from the traced program."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
from jax.extend.core import JaxprEqn

from lecture_models.metrics.jaxpr import inner_programs, nested_equations, propagate

INPUT = -1  # The source of all paths; convolutions are numbered from 0 in the program's order.
CONVOLUTION = "conv_general_dilated"

Sources = frozenset[int]  # The convolutions, or the input, reached with no convolution between.


class ConvolutionGraph(NamedTuple):
    """Describes the convolutions between the input and the result of a network.

    Two paths from the input to the result are different if they pass through different
    convolutions.

    Attributes:
        convolutions: the number of convolutions that the result depends on.
        depth: the number of convolutions on the longest path.
        paths: the number of different paths.
    """

    convolutions: int
    depth: int
    paths: int


def convolution_graph(function: Callable[..., Any], *args: Any) -> ConvolutionGraph:
    """Traces a network and counts convolutions, depth and paths.

    Args:
        function: a function that returns one array. Nothing is computed.
        *args: its arguments, the network's input last: arrays, or their shapes.

    Returns:
        The counts.

    Raises:
        ValueError: there are convolutions in a loop or a branch, whose paths are not in the
            program.
    """
    program = jax.make_jaxpr(function)(*args).jaxpr
    num_inputs = len(jax.tree.leaves(args[-1]))
    sources = [frozenset()] * (len(program.invars) - num_inputs)
    sources += [frozenset({INPUT})] * num_inputs
    inputs_of: list[Sources] = []  # Of each convolution.

    def rule(equation: JaxprEqn, values: list[Sources]) -> Sequence[Sources]:
        merged = frozenset().union(*values)
        if equation.primitive.name == CONVOLUTION:
            inputs_of.append(merged)
            merged = frozenset({len(inputs_of) - 1})
        _refuse_inner_convolutions(equation)
        return [merged] * len(equation.outvars)

    (result,) = propagate(program, sources, frozenset(), rule)
    return _summarize(inputs_of, result)


def _refuse_inner_convolutions(equation: JaxprEqn) -> None:
    inner = nested_equations(inner_programs(equation))
    if any(nested.primitive.name == CONVOLUTION for nested in inner):
        raise ValueError(
            f"there are convolutions in a {equation.primitive.name}; their paths cannot be counted"
        )


def _summarize(inputs_of: list[Sources], result: Sources) -> ConvolutionGraph:
    depths, paths, needed = {INPUT: 0}, {INPUT: 1}, set(result)
    for number, inputs in enumerate(inputs_of):
        depths[number] = 1 + max((depths[source] for source in inputs), default=0)
        paths[number] = sum(paths[source] for source in inputs)
    for number in reversed(range(len(inputs_of))):
        if number in needed:
            needed |= inputs_of[number]
    return ConvolutionGraph(
        len(needed - {INPUT}),
        max((depths[source] for source in result), default=0),
        sum(paths[source] for source in result),
    )
