"""Translates W&B's distributions into Optuna's.

Values are those of W&B's package `sweeps`, which draws u uniformly from 0 to 1 and takes the
quantile at u. Optuna has no normal, log-normal and beta distribution; for these, it draws u.
"""

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from scipy import special

from lecture_models.config import UsageError, did_you_mean
from lecture_models.sweeps.schema import (
    LARGEST_INTEGER,
    Beta,
    Categorical,
    Constant,
    Normal,
    QuantizedBeta,
    QuantizedNormal,
    QuantizedRange,
    Range,
    Weighted,
    shown,
    validated,
)

EDGE = 1e-4  # A quantile nearer than this to 0 or 1 is moved here: a normal has infinite tails.
LARGEST_GRID = 100_000
MOST_EXPONENT = 700  # exp(710) is not a finite number.


class SweptParameter(NamedTuple):
    """Describes one parameter of a sweep.

    Attributes:
        name: field of the experiment's Config.
        distribution: what Optuna draws from.
        from_draw: returns the field's value for what Optuna drew.
        edge_draws: draws whose values the Config must accept: all choices, or the ends of a range.
        grid: all values of a grid search; None for a range without steps, or with too many.
        log: whether charts use a logarithmic scale.
        warning: a line for the user about a likely mistake; "" for none.
    """

    name: str
    distribution: BaseDistribution
    from_draw: Callable[[Any], Any]
    edge_draws: tuple[Any, ...]
    grid: Sequence[Any] | None
    log: bool = False
    warning: str = ""

    def on_grid(self) -> "SweptParameter":
        """Returns the parameter of a grid search, whose draws are the values of the grid.

        W&B's grid of `q_uniform` starts at min, its random search draws multiples of q: from min
        0.005 in steps of 0.01, a grid has 0.005 and 0.015, a random search 0.0, 0.01 and 0.02.

        Raises UsageError if there is no grid.
        """
        if self.grid is None:
            raise UsageError(
                f"parameter {self.name} is a range without steps; a grid needs values, or "
                f"int_uniform or q_uniform of at most {LARGEST_GRID:,} steps"
            )
        if isinstance(self.distribution, CategoricalDistribution):
            return self
        is_whole = all(isinstance(value, int) for value in self.grid)
        kind = IntDistribution if is_whole else FloatDistribution
        ends = (self.grid[0], self.grid[-1])
        return self._replace(distribution=kind(*ends), from_draw=_as_drawn, edge_draws=ends)


def parse_parameter(name: str, entry: Any) -> SweptParameter:
    """Reads one entry of `parameters` in W&B's format, after `schema.with_numbers`.

    Raises UsageError, naming the parameter, if the entry is invalid.
    """
    if not isinstance(entry, dict):
        raise UsageError(
            f"parameter {name} is {shown(entry)}; it must have value, values, or min and max"
        )
    kind = entry.get("distribution") or _inferred_kind(name, entry)
    if not isinstance(kind, str) or kind not in _KINDS:
        raise UsageError(
            f"parameter {name} has the distribution {shown(kind)}"
            f"{did_you_mean(str(kind), _KINDS)} Allowed: {', '.join(sorted(_KINDS))}"
        )
    model, make = _KINDS[kind]
    keys = {key: value for key, value in entry.items() if key != "distribution"}
    parameter = make(name, validated(model, keys, f"parameter {name}", kind))
    _check_edges(parameter)
    return parameter


def _inferred_kind(name: str, entry: dict[str, Any]) -> str:
    """Returns the distribution that W&B infers from the keys and the type of a range's ends."""
    if "parameters" in entry:
        raise UsageError(f"parameter {name} has nested parameters; a Config's fields have none")
    if "value" in entry:
        return "constant"
    if "values" in entry:
        return "categorical_w_probabilities" if "probabilities" in entry else "categorical"
    if "min" not in entry or "max" not in entry:
        raise UsageError(
            f"parameter {name} has {', '.join(map(str, entry)) or 'no keys'}; it must have value, "
            "values, or min and max"
        )
    is_int = [isinstance(entry[end], int) for end in ("min", "max")]
    if all(is_int):
        return "int_uniform"
    if any(is_int) and all(isinstance(entry[end], int | float) for end in ("min", "max")):
        raise UsageError(
            f"parameter {name} goes from {entry['min']} to {entry['max']}, an int and a float; "
            "write both as 1 or both as 1.0, or name its distribution"
        )
    return "uniform"


def _check_edges(parameter: SweptParameter) -> None:
    """Raises UsageError if a value overflows, such as that of a log-normal of mean 1000."""
    for draw in parameter.edge_draws:
        try:
            value = parameter.from_draw(draw)
            is_finite = isinstance(value, str) or math.isfinite(value)
        except (OverflowError, ValueError):  # ValueError: the rounded value is not a number.
            is_finite = False
        if not is_finite:
            raise UsageError(
                f"parameter {parameter.name} has values that are too large for a number"
            )


def _as_drawn(draw: Any) -> Any:
    return draw


def _rounded(step: float | int, value: float | int) -> float | int:
    """Returns the nearest multiple of the step, as an int if the step is a whole number."""
    near = round(value / step) * step
    return int(near) if step == int(step) else float(f"{near:.12g}")


def _rounding(entry: Any) -> Callable[[float | int], float | int]:
    return partial(_rounded, entry.q) if hasattr(entry, "q") else _as_drawn


def _constant(name: str, entry: Constant) -> SweptParameter:
    return _from_choices(name, (entry.value,))


def _categorical(name: str, entry: Categorical) -> SweptParameter:
    return _from_choices(name, entry.values)


def _from_choices(name: str, choices: tuple[Any, ...]) -> SweptParameter:
    return SweptParameter(name, CategoricalDistribution(choices), _as_drawn, choices, choices)


def _weighted(name: str, entry: Weighted) -> SweptParameter:
    shares = entry.probabilities
    bounds = np.cumsum(shares)

    def choice_at(draw: float | int) -> Any:
        index = int(np.searchsorted(bounds, draw, side="right"))
        return entry.values[min(index, len(bounds) - 1)]

    middles = tuple(
        float(bound - share / 2) for bound, share in zip(bounds, shares, strict=True) if share
    )
    return SweptParameter(name, FloatDistribution(0.0, 1.0), choice_at, middles, None)


def _int_uniform(name: str, entry: Range) -> SweptParameter:
    low, high = entry.min, entry.max
    if low != int(low) or high != int(high) or max(abs(low), abs(high)) > LARGEST_INTEGER:
        raise UsageError(
            f"parameter {name} goes from {low} to {high}; int_uniform needs two whole numbers of "
            f"at most {LARGEST_INTEGER:,}"
        )
    low, high = int(low), int(high)
    grid = tuple(range(low, high + 1)) if high - low < LARGEST_GRID else None
    return SweptParameter(name, IntDistribution(low, high), _as_drawn, (low, high), grid)


def _uniform(name: str, entry: Range) -> SweptParameter:
    ends = (float(entry.min), float(entry.max))
    return SweptParameter(name, FloatDistribution(*ends), _rounding(entry), ends, _grid(entry))


def _grid(entry: Range) -> tuple[Any, ...] | None:
    """Returns the values of W&B's grid: from min in steps of q, without max."""
    if not hasattr(entry, "q") or (entry.max - entry.min) / entry.q > LARGEST_GRID:
        return None
    values = np.arange(entry.min, entry.max, entry.q).tolist()
    if entry.q == int(entry.q) and entry.min == int(entry.min):
        return tuple(map(int, values))
    return tuple(float(f"{value:.12g}") for value in values)


def _log_uniform(name: str, entry: Range) -> SweptParameter:
    # This is also the inverse: if log(x) is uniform, so is log(1/x).
    if entry.min <= 0:
        raise UsageError(
            f"parameter {name} has min {entry.min}; on a logarithmic scale it must be above 0"
        )
    ends = (float(entry.min), float(entry.max))
    distribution = FloatDistribution(*ends, log=True)
    return SweptParameter(name, distribution, _rounding(entry), ends, None, log=True)


def _log_uniform_of_exponents(name: str, entry: Range, kind: str, sign: int = 1) -> SweptParameter:
    """Returns a parameter between exp(sign min) and exp(sign max)."""
    largest = max(abs(entry.min), abs(entry.max))
    if largest > MOST_EXPONENT:
        raise UsageError(
            f"parameter {name} goes from {entry.min} to {entry.max}; {kind} takes exponents of e, "
            f"from -{MOST_EXPONENT} to {MOST_EXPONENT}; {kind}_values takes the ends themselves"
        )
    ends = sorted(math.exp(sign * exponent) for exponent in (entry.min, entry.max))
    parameter = _log_uniform(name, entry.model_copy(update={"min": ends[0], "max": ends[1]}))
    # Nobody writes the ends of a range such as 0.0001 to 0.1 as exponents.
    if entry.min <= 0 or (sign < 0 and entry.max > 1):
        return parameter
    low, high = (f"{end:.4g}" for end in ends)
    return parameter._replace(
        warning=f"parameter {name} uses {kind}, where min and max are exponents of e: it goes from "
        f"{low} to {high}; if it must go from {entry.min} to {entry.max}, use {kind}_values"
    )


def _by_quantile(
    name: str, entry: Normal | Beta, quantile: Callable[[float | int, Any], float]
) -> SweptParameter:
    """Returns a parameter of which Optuna draws u, so that its search knows the distribution."""
    rounded = _rounding(entry)

    def value_at(draw: float | int) -> float | int:
        return rounded(quantile(min(max(draw, EDGE), 1.0 - EDGE), entry))

    return SweptParameter(name, FloatDistribution(0.0, 1.0), value_at, (0.0, 1.0), None)


def _normal(quantile: float | int, entry: Normal) -> float:
    return float(entry.mu + entry.sigma * special.ndtri(quantile))


def _log_normal(quantile: float | int, entry: Normal) -> float:
    return math.exp(_normal(quantile, entry))


def _beta(quantile: float | int, entry: Beta) -> float:
    return float(special.betaincinv(entry.a, entry.b, quantile))


def _exponents(kind: str, sign: int = 1) -> Callable[[str, Range], SweptParameter]:
    return partial(_log_uniform_of_exponents, kind=kind, sign=sign)


# Each distribution's keys, and how it is drawn.
_KINDS: dict[str, tuple[type, Callable[[str, Any], SweptParameter]]] = {
    "constant": (Constant, _constant),
    "categorical": (Categorical, _categorical),
    "categorical_w_probabilities": (Weighted, _weighted),
    "int_uniform": (Range, _int_uniform),
    "uniform": (Range, _uniform),
    "q_uniform": (QuantizedRange, _uniform),
    "log_uniform_values": (Range, _log_uniform),
    "q_log_uniform_values": (QuantizedRange, _log_uniform),
    "inv_log_uniform_values": (Range, _log_uniform),
    "log_uniform": (Range, _exponents("log_uniform")),
    "q_log_uniform": (QuantizedRange, _exponents("q_log_uniform")),
    "inv_log_uniform": (Range, _exponents("inv_log_uniform", sign=-1)),
    "normal": (Normal, partial(_by_quantile, quantile=_normal)),
    "q_normal": (QuantizedNormal, partial(_by_quantile, quantile=_normal)),
    "log_normal": (Normal, partial(_by_quantile, quantile=_log_normal)),
    "q_log_normal": (QuantizedNormal, partial(_by_quantile, quantile=_log_normal)),
    "beta": (Beta, partial(_by_quantile, quantile=_beta)),
    "q_beta": (QuantizedBeta, partial(_by_quantile, quantile=_beta)),
}
