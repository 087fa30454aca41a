"""Finds the pixels that each unit of a network can depend on, from the traced program."""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
from jax.extend.core import Jaxpr, JaxprEqn

from lecture_models.metrics.jaxpr import propagate
from lecture_models.metrics.receptive_field import ReceptiveField


class _Along(NamedTuple):
    """Describes an array whose position i along `axis` sees a range of pixels.

    The range is from first + i stride to last + i stride.
    """

    axis: int
    first: int
    last: int
    stride: int


class _Branches(NamedTuple):
    """Describes an array of groups of channels that see different pixels.

    Each group is a pair: its number of channels, and what they see.
    """

    groups: tuple[tuple[int, "_Seen"], ...]


_WHOLE = "whole"  # May see every pixel.
_Seen = _Along | _Branches | str | None  # None sees no pixel.


class ReceptiveFields(NamedTuple):
    """Holds the receptive fields of an array's units along the rows and along the columns.

    None means that a unit may depend on the whole image.
    """

    rows: ReceptiveField | None
    columns: ReceptiveField | None


def traced_fields(function: Callable[..., Any], *args: Any) -> Any:
    """Finds the receptive fields of the units of a network's arrays.

    Convolutions, poolings, slices, padding and elementwise operations are followed through
    branches; where branches join, the field is the smallest box around both. At the edge of an
    image a unit sees that part of its field that lies within the image.

    Args:
        function: a function that returns a pytree of arrays. Nothing is computed.
        *args: its arguments, NHWC images last: arrays, or their shapes.

    Returns:
        `ReceptiveFields` in place of each array. An array that is no map of the image, or that
        comes from an operation that is not followed, may depend on the whole image.
    """
    traced, shapes = jax.make_jaxpr(function, return_shape=True)(*args)
    rows, columns = (_seen_along(traced.jaxpr, axis) for axis in (1, 2))
    return jax.tree.unflatten(jax.tree.structure(shapes), list(map(_fields, rows, columns)))


def traced_channel_fields(function: Callable[..., Any], *args: Any) -> list[ReceptiveFields]:
    """Finds the receptive fields of each channel, as `traced_fields` does for whole arrays.

    Args:
        function: a function that returns one array of maps. Nothing is computed.
        *args: its arguments, NHWC images last: arrays, or their shapes.

    Returns:
        The fields of each channel; channels of concatenated branches have those of their branch.
    """
    traced, shape = jax.make_jaxpr(function, return_shape=True)(*args)
    (rows,), (columns,) = (_seen_along(traced.jaxpr, axis) for axis in (1, 2))
    if not isinstance(rows, _Branches) or not isinstance(columns, _Branches):
        return [_fields(rows, columns)] * shape.shape[-1]
    fields = []
    for (channels, row), (_, column) in zip(rows.groups, columns.groups, strict=True):
        fields += [_fields(row, column)] * channels
    return fields


def _seen_along(program: Jaxpr, axis: int) -> list[_Seen]:
    others = [None] * (len(program.invars) - 1)
    return propagate(program, [*others, _Along(axis, 0, 0, 1)], None, _results)


def _fields(rows: _Seen, columns: _Seen) -> ReceptiveFields:
    return ReceptiveFields(_field(_joined(rows), 1), _field(_joined(columns), 2))


def _field(seen: _Seen, axis: int) -> ReceptiveField | None:
    if not isinstance(seen, _Along) or seen.axis != axis:
        return None
    return ReceptiveField(seen.last - seen.first + 1, seen.stride, (seen.first + seen.last) / 2)


def _results(equation: JaxprEqn, seen: list[_Seen]) -> list[_Seen]:
    depends = any(operand is not None for operand in seen)
    return [_through(equation, seen) if depends else None] * len(equation.outvars)


def _through(equation: JaxprEqn, seen: list[_Seen]) -> _Seen:
    name = equation.primitive.name
    if name in _ELEMENTWISE:
        return _elementwise(seen)
    if name == "concatenate":
        return _concatenate(equation, seen)
    first, *rest = map(_joined, seen)
    rule = _RULES.get(name)
    if rule is None or not isinstance(first, _Along) or any(other is not None for other in rest):
        return _WHOLE
    return rule(first, equation.params, *(operand.aval.shape for operand in equation.invars))


def _elementwise(seen: list[_Seen]) -> _Seen:
    depending = {operand for operand in seen if operand is not None}
    return depending.pop() if len(depending) == 1 else _union(list(map(_joined, seen)))


def _concatenate(equation: JaxprEqn, seen: list[_Seen]) -> _Seen:
    joined = _union(list(map(_joined, seen)))
    if not isinstance(joined, _Along):
        return joined
    axis = equation.params["dimension"]
    shapes = [operand.aval.shape for operand in equation.invars]
    if axis == joined.axis:
        return _WHOLE
    if axis != len(shapes[0]) - 1:
        return joined
    groups = []
    for operand, shape in zip(seen, shapes, strict=True):
        groups += operand.groups if isinstance(operand, _Branches) else [(shape[axis], operand)]
    return _Branches(tuple(groups))


def _joined(seen: _Seen) -> _Seen:
    if not isinstance(seen, _Branches):
        return seen
    return _union([group for _, group in seen.groups])


def _union(seen: list[_Seen]) -> _Seen:
    ranges = [operand for operand in seen if operand is not None]
    if not ranges:
        return None
    if _WHOLE in ranges or len({(along.axis, along.stride) for along in ranges}) > 1:
        return _WHOLE
    first, last = min(along.first for along in ranges), max(along.last for along in ranges)
    return ranges[0]._replace(first=first, last=last)


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
    """Follows the product of a dense layer on the channels of each unit."""
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
_ELEMENTWISE = frozenset((
    "abs", "add", "and", "clamp", "convert_element_type", "copy", "div", "eq", "erf", "exp",
    "expm1", "ge", "gt", "integer_pow", "is_finite", "le", "log", "log1p", "logistic", "lt", "max",
    "min", "mul", "ne", "neg", "not", "or", "pow", "rsqrt", "select_n", "sign", "sqrt", "square",
    "sub", "tanh",
))
# fmt: on
