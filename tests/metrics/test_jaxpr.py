import jax
import jax.numpy as jnp
import pytest

from lecture_models.metrics.jaxpr import (
    called_program,
    inner_programs,
    nested_equations,
    propagate,
)

VECTOR = jax.ShapeDtypeStruct((3,), jnp.float32)


def traced(function, *args):
    return jax.make_jaxpr(function)(*(args or (VECTOR,))).jaxpr


def only_equation(function, name, *args):
    (equation,) = (
        equation for equation in traced(function, *args).eqns if equation.primitive.name == name
    )
    return equation


def branch(x):
    return jax.lax.cond(x[0] > 0, jnp.sin, lambda x: jnp.cos(jnp.tan(x)), x)


def loop(x):
    return jax.lax.while_loop(lambda x: x[0] < 9.0, lambda x: 2.0 * x, x)


def scan(x):
    return jax.lax.scan(lambda x, _: (jnp.sin(x), None), x, None, length=4)[0]


@jax.custom_vjp
def straight_through(x):
    return jnp.sign(x)


straight_through.defvjp(lambda x: (jnp.sign(x), None), lambda _, gradient: (gradient,))


def names(program):
    return [equation.primitive.name for equation in program.eqns]


def test_all_inner_programs_are_listed():
    assert [names(p) for p in inner_programs(only_equation(branch, "cond"))] == [
        ["tan", "cos"],
        ["sin"],
    ]
    assert len(inner_programs(only_equation(loop, "while"))) == 2
    assert [names(p) for p in inner_programs(only_equation(scan, "scan"))] == [["sin"]]
    assert inner_programs(only_equation(jnp.sin, "sin")) == []


@pytest.mark.parametrize(
    "call", [jax.jit(jnp.sin), jax.checkpoint(jnp.sin), straight_through, jax.nn.relu]
)
def test_plain_calls_have_a_program_with_their_own_inputs(call):
    (equation,) = traced(call).eqns
    program = called_program(equation)
    assert len(program.invars) == len(equation.invars) == 1
    assert program.eqns


@pytest.mark.parametrize(
    ("function", "name"), [(branch, "cond"), (loop, "while"), (scan, "scan"), (jnp.sin, "sin")]
)
def test_loops_branches_and_operations_are_no_calls(function, name):
    assert called_program(only_equation(function, name)) is None


def test_nested_equations_go_into_calls_loops_and_branches():
    found = [
        equation.primitive.name
        for equation in nested_equations([traced(lambda x: jax.jit(scan)(branch(x)))])
    ]
    assert {"cond", "tan", "cos", "jit", "scan", "sin"} <= set(found)
    assert found.index("jit") < found.index("scan")


def depends(function, *args):
    """Returns for each output the indices of the arguments that it depends on."""
    program = traced(function, *args)

    def rule(equation, values):
        return [frozenset().union(*values)] * len(equation.outvars)

    inputs = [frozenset({index}) for index in range(len(program.invars))]
    return propagate(program, inputs, frozenset(), rule)


def test_values_follow_the_variables_of_operations_and_calls():
    @jax.jit
    def swap(a, b):
        return b + 1.0, jnp.sin(a)

    def function(a, b, c):
        first, second = swap(a, b)
        return first, second * c, 2.0

    assert depends(function, VECTOR, VECTOR, VECTOR) == [{1}, {0, 2}, set()]


def test_literals_and_closed_over_arrays_have_the_value_of_constants():
    table = jnp.arange(3.0)
    assert depends(lambda x: (x + table, table * 2.0, jax.jit(lambda: table + 1.0)())) == [
        {0},
        set(),
        set(),
    ]


def test_an_input_may_be_returned_as_it_is():
    assert depends(lambda a, b: (b, a), VECTOR, VECTOR) == [{1}, {0}]


def test_the_rule_sees_loops_and_branches_whole_and_in_order():
    seen = []

    def rule(equation, values):
        seen.append(equation.primitive.name)
        return [sum(values)] * len(equation.outvars)

    program = traced(lambda x: jnp.cos(scan(jax.jit(jnp.sin)(x))))
    assert propagate(program, [1], 0, rule) == [1]
    assert seen == ["sin", "scan", "cos"]


def test_another_number_of_inputs_is_refused():
    with pytest.raises(ValueError, match="zip"):
        propagate(traced(jnp.sin), [1, 2], 0, lambda equation, values: values)
