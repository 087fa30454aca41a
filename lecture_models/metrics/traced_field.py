"""Which pixels each unit of a network can depend on, read from the traced program."""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
from jax.extend.core import Literal

from lecture_models.metrics.receptive_field import ReceptiveField


class _Along(NamedTuple):
    """Position i along `axis` sees pixels first + i stride to last + i stride."""

    axis: int
    first: int
    last: int
    stride: int


class _Branches(NamedTuple):
    """Groups of channels side by side, each of (channels, what it sees)."""

    parts: tuple[tuple[int, "_Seen"], ...]


_WHOLE = "whole"  # Sees every pixel, or in a way that is not followed.
_Seen = _Along | _Branches | str | None  # None: depends on no pixel.


class Fields(NamedTuple):
    """Along the rows and the columns; None where a unit may depend on the whole picture."""

    rows: ReceptiveField | None
    columns: ReceptiveField | None


def traced_fields(function: Callable[..., Any], *args: Any) -> Any:
    """`Fields` for each array that `function` returns, its last argument being NHWC pictures.

    Convolutions, poolings, slices, padding and all that acts on each unit alone are followed
    through branches, which are joined by the smallest box around both; an array that is no map,
    and what is not followed, may depend on the whole picture. At a picture's edge a unit sees what
    of its field lies in the picture.

    Nothing is computed: arguments may be shapes.
    """
    traced, shapes = jax.make_jaxpr(function, return_shape=True)(*args)
    rows, columns = (_seen_along(traced.jaxpr, axis) for axis in (1, 2))
    return jax.tree.unflatten(jax.tree.structure(shapes), list(map(_fields, rows, columns)))


def traced_channel_fields(function: Callable[..., Any], *args: Any) -> list[Fields]:
    """Of each channel of the one array of maps that `function` returns.

    As `traced_fields`, but the channels of branches side by side keep the fields of their own.
    """
    traced, shape = jax.make_jaxpr(function, return_shape=True)(*args)
    (rows,), (columns,) = (_seen_along(traced.jaxpr, axis) for axis in (1, 2))
    if not isinstance(rows, _Branches) or not isinstance(columns, _Branches):
        return [_fields(rows, columns)] * shape.shape[-1]
    fields = []
    for (channels, row), (_, column) in zip(rows.parts, columns.parts, strict=True):
        fields += [_fields(row, column)] * channels
    return fields


def _seen_along(program: Any, axis: int) -> list[_Seen]:
    others = [None] * (len(program.invars) - 1)
    return _follow(program, [*others, _Along(axis, 0, 0, 1)])


def _fields(rows: _Seen, columns: _Seen) -> Fields:
    return Fields(_field(_joined(rows), 1), _field(_joined(columns), 2))


def _field(seen: _Seen, axis: int) -> ReceptiveField | None:
    if not isinstance(seen, _Along) or seen.axis != axis:
        return None
    return ReceptiveField(seen.last - seen.first + 1, seen.stride, (seen.first + seen.last) / 2)


def _follow(program: Any, inputs: list[_Seen]) -> list[_Seen]:
    known = dict(zip(program.invars, inputs, strict=True))

    def of(variable: Any) -> _Seen:
        return None if isinstance(variable, Literal) else known.get(variable)

    for equation in program.eqns:
        seen = [of(each) for each in equation.invars]
        inner = _called(equation)
        if all(each is None for each in seen):
            results = [None] * len(equation.outvars)
        elif inner is not None:
            results = _follow(inner, seen)
        else:
            results = [_through(equation, seen)] * len(equation.outvars)
        known.update(zip(equation.outvars, results, strict=True))
    return [of(each) for each in program.outvars]


def _called(equation: Any) -> Any | None:
    """The program of a plain call; loops and branches are not followed."""
    for name in ("jaxpr", "call_jaxpr", "callee"):
        inner = equation.params.get(name)
        inner = getattr(inner, "jaxpr", inner)
        if hasattr(inner, "eqns") and equation.primitive.name not in ("scan", "while", "cond"):
            return inner if len(inner.invars) == len(equation.invars) else None
    return None


def _through(equation: Any, seen: list[_Seen]) -> _Seen:
    name = equation.primitive.name
    if name in _UNIT_BY_UNIT:
        return _unit_by_unit(seen)
    if name == "concatenate":
        return _concatenate(equation, seen)
    first, *rest = map(_joined, seen)
    rule = _RULES.get(name)
    if rule is None or not isinstance(first, _Along) or any(each is not None for each in rest):
        return _WHOLE
    return rule(first, equation.params, *(each.aval.shape for each in equation.invars))


def _unit_by_unit(seen: list[_Seen]) -> _Seen:
    depending = {each for each in seen if each is not None}
    return depending.pop() if len(depending) == 1 else _union([_joined(each) for each in seen])


def _concatenate(equation: Any, seen: list[_Seen]) -> _Seen:
    joined = _union([_joined(each) for each in seen])
    if not isinstance(joined, _Along):
        return joined
    axis, shapes = equation.params["dimension"], [each.aval.shape for each in equation.invars]
    if axis == joined.axis:
        return _WHOLE
    if axis != len(shapes[0]) - 1:
        return joined
    parts = []
    for each, shape in zip(seen, shapes, strict=True):
        parts += each.parts if isinstance(each, _Branches) else [(shape[axis], each)]
    return _Branches(tuple(parts))


def _joined(seen: _Seen) -> _Seen:
    return _union([each for _, each in seen.parts]) if isinstance(seen, _Branches) else seen


def _union(seen: list[_Seen]) -> _Seen:
    depending = [each for each in seen if each is not None]
    if not depending:
        return None
    if _WHOLE in depending or len({(each.axis, each.stride) for each in depending}) > 1:
        return _WHOLE
    first, last = min(each.first for each in depending), max(each.last for each in depending)
    return depending[0]._replace(first=first, last=last)


def _windowed(
    seen: _Along, axis: int, size: int, stride: int, padding: int, dilation: int
) -> _Along:
    first = seen.first - padding * seen.stride
    last = seen.last + ((size - 1) * dilation - padding) * seen.stride
    return _Along(axis, first, last, seen.stride * stride)


def _convolution(seen: _Along, params: Any, maps: tuple, filters: tuple) -> _Seen:
    numbers = params["dimension_numbers"]
    spatial = numbers.lhs_spec[2:]
    if seen.axis not in spatial:
        return _WHOLE
    place = spatial.index(seen.axis)
    if params["lhs_dilation"][place] != 1:
        return _WHOLE
    return _windowed(
        seen,
        numbers.out_spec[2 + place],
        filters[numbers.rhs_spec[2 + place]],
        params["window_strides"][place],
        params["padding"][place][0],
        params["rhs_dilation"][place],
    )


def _window(seen: _Along, params: Any, *_: tuple) -> _Seen:
    axis = seen.axis
    if params["base_dilation"][axis] != 1:
        return _WHOLE
    return _windowed(
        seen,
        axis,
        params["window_dimensions"][axis],
        params["window_strides"][axis],
        params["padding"][axis][0],
        params["window_dilation"][axis],
    )


def _pad(seen: _Along, params: Any, *_: tuple) -> _Seen:
    low, _, interior = params["padding_config"][seen.axis]
    return _WHOLE if interior else _windowed(seen, seen.axis, 1, 1, int(low), 1)


def _slice(seen: _Along, params: Any, *_: tuple) -> _Seen:
    start = params["start_indices"][seen.axis] * seen.stride
    step = params["strides"][seen.axis] if params["strides"] else 1
    return _Along(seen.axis, seen.first + start, seen.last + start, seen.stride * step)


def _reverse(seen: _Along, params: Any, *_: tuple) -> _Seen:
    return _WHOLE if seen.axis in params["dimensions"] else seen


def _reshape(seen: _Along, params: Any, old: tuple) -> _Seen:
    new = params["new_sizes"]
    for axis, size in enumerate(new):
        if size == old[seen.axis] and math.prod(new[:axis]) == math.prod(old[: seen.axis]):
            return seen._replace(axis=axis)
    return _WHOLE


def _without(seen: _Along, axes: tuple) -> _Seen:
    removed = sum(axis < seen.axis for axis in axes)
    return _WHOLE if seen.axis in axes else seen._replace(axis=seen.axis - removed)


def _reduce(seen: _Along, params: Any, *_: tuple) -> _Seen:
    return _without(seen, params["axes"])


def _squeeze(seen: _Along, params: Any, *_: tuple) -> _Seen:
    return _without(seen, params["dimensions"])


def _transpose(seen: _Along, params: Any, *_: tuple) -> _Seen:
    return seen._replace(axis=params["permutation"].index(seen.axis))


def _broadcast(seen: _Along, params: Any, old: tuple) -> _Seen:
    axis = params["broadcast_dimensions"][seen.axis]
    return seen._replace(axis=axis) if params["shape"][axis] == old[seen.axis] else _WHOLE


def _matrix_product(seen: _Along, params: Any, *_: tuple) -> _Seen:
    """As a dense layer on the channels of each unit has it."""
    (contracted, _), (batched, _) = params["dimension_numbers"]
    return _WHOLE if batched else _without(seen, contracted)


_RULES: dict[str, Callable[..., _Seen]] = {
    "conv_general_dilated": _convolution,
    "reduce_window_max": _window,
    "reduce_window_min": _window,
    "reduce_window_sum": _window,
    "pad": _pad,
    "slice": _slice,
    "rev": _reverse,
    "reshape": _reshape,
    "squeeze": _squeeze,
    "transpose": _transpose,
    "broadcast_in_dim": _broadcast,
    "dot_general": _matrix_product,
    "reduce_sum": _reduce,
    "reduce_max": _reduce,
    "reduce_min": _reduce,
}
# fmt: off
_UNIT_BY_UNIT = frozenset((
    "abs", "add", "and", "clamp", "convert_element_type", "copy", "div", "eq", "erf", "exp",
    "expm1", "ge", "gt", "integer_pow", "is_finite", "le", "log", "log1p", "logistic", "lt", "max",
    "min", "mul", "ne", "neg", "not", "or", "pow", "rsqrt", "select_n", "sign", "sqrt", "square",
    "sub", "tanh",
))
# fmt: on
