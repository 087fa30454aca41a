"""Walks over traced programs: their nested programs, and values that follow their variables."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeVar

from jax.extend.core import Jaxpr, JaxprEqn, Literal

Value = TypeVar("Value")

_CALL_PARAMETERS = ("jaxpr", "call_jaxpr", "callee")
_MORE_THAN_CALLS = ("scan", "while", "cond")


def inner_programs(equation: JaxprEqn) -> list[Jaxpr]:
    """Lists the programs among an equation's parameters.

    Args:
        equation: an equation of a traced program.

    Returns:
        The program of a call or of a scan, all branches of a cond, the condition and the body of
        a while loop; empty for a plain operation.
    """
    return list(_programs(equation.params.values()))


def called_program(equation: JaxprEqn) -> Jaxpr | None:
    """Returns the program of a plain call, such as `jax.jit`, `jax.checkpoint` or a custom rule.

    Args:
        equation: an equation of a traced program.

    Returns:
        The program, whose inputs are those of the equation in the same order; None for loops,
        branches and plain operations.
    """
    if equation.primitive.name in _MORE_THAN_CALLS:
        return None
    for name in _CALL_PARAMETERS:
        for program in _programs([equation.params.get(name)]):
            return program if len(program.invars) == len(equation.invars) else None
    return None


def nested_equations(programs: Iterable[Jaxpr]) -> Iterator[JaxprEqn]:
    """Goes through the equations of programs and of all programs within them.

    Args:
        programs: the programs.

    Yields:
        Each equation, followed by the equations of its inner programs.
    """
    for program in programs:
        for equation in program.eqns:
            yield equation
            yield from nested_equations(inner_programs(equation))


def propagate(
    program: Jaxpr,
    inputs: Sequence[Value],
    constant: Value,
    rule: Callable[[JaxprEqn, list[Value]], Sequence[Value]],
) -> list[Value]:
    """Computes a value for every variable of a program, from its inputs to its outputs.

    Plain calls are followed into their programs; the rule sees all other equations, loops and
    branches among them, in the program's order.

    Args:
        program: the traced program.
        inputs: the values of its input variables.
        constant: the value of literals and of constants that the program closes over.
        rule: maps an equation and the values of its inputs to the values of its outputs.

    Returns:
        The values of the program's outputs.
    """
    known = dict(zip(program.invars, inputs, strict=True))

    def value_of(variable: Any) -> Value:
        return constant if isinstance(variable, Literal) else known.get(variable, constant)

    for equation in program.eqns:
        values = [value_of(variable) for variable in equation.invars]
        called = called_program(equation)
        if called is None:
            results = rule(equation, values)
        else:
            results = propagate(called, values, constant, rule)
        known.update(zip(equation.outvars, results, strict=True))
    return [value_of(variable) for variable in program.outvars]


def _programs(parameters: Iterable[Any]) -> Iterator[Jaxpr]:
    for parameter in parameters:
        if isinstance(parameter, tuple | list):
            yield from _programs(parameter)
            continue
        program = getattr(parameter, "jaxpr", parameter)  # A closed one holds one.
        if hasattr(program, "eqns"):
            yield program
