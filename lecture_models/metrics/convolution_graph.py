"""How deep a network is and how many ways lead through it, read from the traced program."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
from jax.extend.core import Literal

INPUT = -1  # The source of paths; convolutions are numbered from 0 in the program's order.
Sources = frozenset[int]


class ConvolutionGraph(NamedTuple):
    """Convolutions that the result depends on, those on the longest path to it, and its paths.

    A path goes from the input to the result; two are different where they meet other convolutions.
    """

    convolutions: int
    depth: int
    paths: int


def convolution_graph(function: Callable[..., Any], *args: Any) -> ConvolutionGraph:
    """Of the one array that `function` returns, with its last argument for the input.

    Nothing is computed: arguments may be shapes. Raises ValueError where there are convolutions in
    a loop or a branch, whose paths are not in the program.
    """
    program = jax.make_jaxpr(function)(*args).jaxpr
    num_inputs = len(jax.tree.leaves(args[-1]))
    sources = [frozenset()] * (len(program.invars) - num_inputs)
    sources += [frozenset({INPUT})] * num_inputs
    before: list[Sources] = []
    (result,) = _follow(program, sources, before)
    depths, paths, needed = {INPUT: 0}, {INPUT: 1}, set(result)
    for number, inputs in enumerate(before):
        depths[number] = 1 + max((depths[each] for each in inputs), default=0)
        paths[number] = sum(paths[each] for each in inputs)
    for number in reversed(range(len(before))):
        if number in needed:
            needed |= before[number]
    return ConvolutionGraph(
        len(needed - {INPUT}),
        max((depths[each] for each in result), default=0),
        sum(paths[each] for each in result),
    )


def _follow(program: Any, sources: list[Sources], before: list[Sources]) -> list[Sources]:
    """The convolutions, or the input, that each result depends on with none in between.

    `before` gathers those that each convolution depends on.
    """
    known = dict(zip(program.invars, sources, strict=True))

    def of(variable: Any) -> Sources:
        return frozenset() if isinstance(variable, Literal) else known.get(variable, frozenset())

    for equation in program.eqns:
        inner = _called(equation)
        if inner is not None:
            results = _follow(inner, [of(each) for each in equation.invars], before)
        else:
            inputs = frozenset().union(*map(of, equation.invars))
            if equation.primitive.name == "conv_general_dilated":
                before.append(inputs)
                inputs = frozenset({len(before) - 1})
            elif "conv_general_dilated" in str(equation.params):
                raise ValueError(f"convolutions in a {equation.primitive.name}: their paths differ")
            results = [inputs] * len(equation.outvars)
        known.update(zip(equation.outvars, results, strict=True))
    return [of(each) for each in program.outvars]


def _called(equation: Any) -> Any | None:
    """The program of a plain call, as `jax.jit` makes; None for all that is more than a call."""
    for name in ("jaxpr", "call_jaxpr"):
        inner = equation.params.get(name)
        inner = getattr(inner, "jaxpr", inner)
        if hasattr(inner, "eqns") and equation.primitive.name not in ("scan", "while", "cond"):
            return inner if len(inner.invars) == len(equation.invars) else None
    return None
