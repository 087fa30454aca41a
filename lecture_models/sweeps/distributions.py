"""Translates W&B's distributions into Optuna's.

Optuna has no normal, log-normal and beta distribution: it draws a quantile, from which the value is
computed.
"""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from scipy import special

from lecture_models.config import UsageError, did_you_mean

EDGE = 1e-4  # Quantiles are drawn from EDGE to 1 - EDGE, because a normal has infinite tails.


class SweptParameter(NamedTuple):
    """Describes one parameter of a sweep.

    Attributes:
        name: field of the experiment's Config.
        distribution: what Optuna draws from.
        from_draw: returns the field's value for what Optuna drew.
        edge_draws: draws whose values the Config must accept: all choices, or the ends of a range.
        grid: all draws of a grid search; None for a range without steps.
        log: whether charts use a logarithmic scale.
    """

    name: str
    distribution: BaseDistribution
    from_draw: Callable[[Any], Any]
    edge_draws: tuple[Any, ...]
    grid: tuple[Any, ...] | None
    log: bool = False


def parse_parameter(name: str, entry: Any) -> SweptParameter:
    """Reads one entry of `parameters` in W&B's format.

    Raises UsageError, naming the parameter, if the entry is invalid.
    """
    if not isinstance(entry, dict):
        raise UsageError(
            f"parameter {name} is {entry!r}; it must have value, values, or min and max"
        )
    kind = entry.get("distribution") or _inferred_kind(name, entry)
    if kind not in _KINDS:
        raise UsageError(
            f"parameter {name} has the distribution {kind!r}{did_you_mean(str(kind), _KINDS)} "
            f"Allowed: {', '.join(sorted(_KINDS))}"
        )
    make, allowed = _KINDS[kind]
    unknown = sorted(entry.keys() - {*allowed, "distribution"})
    if unknown:
        raise UsageError(
            f"parameter {name} has the key {unknown[0]!r}; {kind} allows {', '.join(allowed)}"
        )
    return make(name, entry)


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
    if any(is_int):
        raise UsageError(
            f"parameter {name} goes from {entry['min']} to {entry['max']}, an int and a float; "
            "write both as 1 or both as 1.0, or name its distribution"
        )
    return "uniform"


def _number(
    name: str, entry: dict[str, Any], key: str, default: float | None = None
) -> float | int:
    value = entry.get(key, default)
    if isinstance(value, str):  # YAML reads 1e-3 as a string, 1.0e-3 as a number.
        raise UsageError(
            f"parameter {name} has the string {value!r} for {key}; YAML reads 1.0e-3 as a number"
        )
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise UsageError(f"parameter {name} has {value!r} for {key}; it must be a finite number")
    return value


def _bounds(name: str, entry: dict[str, Any]) -> tuple[float | int, float | int]:
    low, high = _number(name, entry, "min"), _number(name, entry, "max")
    if low > high:
        raise UsageError(f"parameter {name} has min {low}, above max {high}")
    if low == high:
        raise UsageError(
            f"parameter {name} has the empty range {low} to {high}; write value instead"
        )
    return low, high


def _step(name: str, entry: dict[str, Any]) -> float | int:
    step = _number(name, entry, "q", 1.0)
    if step <= 0:
        raise UsageError(f"parameter {name} has q {step}; it must be above 0")
    return step


def _rounded(step: float | int, value: float | int) -> float | int:
    """Returns the nearest multiple of the step, as an int if the step is a whole number."""
    near = round(value / step) * step
    return int(near) if step == int(step) else float(f"{near:.12g}")


def _choice(name: str, value: Any) -> Any:
    if isinstance(value, list):
        text = ",".join(map(str, value))
        raise UsageError(
            f'parameter {name} has the list {value}; write "{text}", as on a command line'
        )
    if value is None or isinstance(value, dict):
        raise UsageError(f"parameter {name} has {value!r}; it must be a number, a string or a bool")
    return value


def _constant(name: str, entry: dict[str, Any]) -> SweptParameter:
    if "value" not in entry:
        raise UsageError(f"parameter {name} is constant; it must have value")
    return _from_choices(name, [entry["value"]])


def _categorical(name: str, entry: dict[str, Any]) -> SweptParameter:
    values = entry.get("values")
    if not isinstance(values, list) or not values:
        raise UsageError(f"parameter {name} has values {values}; it must be a list of one or more")
    return _from_choices(name, values)


def _from_choices(name: str, values: list[Any]) -> SweptParameter:
    choices = tuple(_choice(name, value) for value in values)
    repeated = [value for index, value in enumerate(choices) if value in choices[:index]]
    if repeated:
        raise UsageError(f"parameter {name} lists the value {repeated[0]!r} twice")
    distribution = CategoricalDistribution(choices)
    return SweptParameter(name, distribution, lambda draw: draw, choices, choices)


def _weighted(name: str, entry: dict[str, Any]) -> SweptParameter:
    choices = _categorical(name, entry).edge_draws
    shares = entry.get("probabilities")
    if not isinstance(shares, list) or len(shares) != len(choices):
        raise UsageError(f"parameter {name} has {len(choices)} values and probabilities {shares}")
    if min(shares) < 0 or abs(sum(shares) - 1.0) > 1e-6:
        raise UsageError(f"parameter {name} has probabilities {shares}; they must sum to 1")
    bounds = [sum(shares[: index + 1]) for index in range(len(shares))]

    def choice_at(draw: float | int) -> Any:
        return next(
            (c for c, bound in zip(choices, bounds, strict=True) if draw < bound), choices[-1]
        )

    middles = tuple(bound - share / 2 for bound, share in zip(bounds, shares, strict=True) if share)
    return SweptParameter(name, FloatDistribution(0.0, 1.0), choice_at, middles, None)


def _int_uniform(name: str, entry: dict[str, Any]) -> SweptParameter:
    low, high = _bounds(name, entry)
    if low != int(low) or high != int(high):
        raise UsageError(
            f"parameter {name} goes from {low} to {high}; int_uniform needs two whole numbers"
        )
    low, high = int(low), int(high)
    grid = tuple(range(low, high + 1)) if high - low < 100_000 else None
    return SweptParameter(name, IntDistribution(low, high), lambda draw: draw, (low, high), grid)


def _range(
    logarithmic: bool, rounds: bool, exponents: bool = False
) -> Callable[..., SweptParameter]:
    def make(name: str, entry: dict[str, Any]) -> SweptParameter:
        low, high = _bounds(name, entry)
        if exponents:
            low, high = math.exp(low), math.exp(high)
        if logarithmic and low <= 0:
            raise UsageError(
                f"parameter {name} has min {low}; on a logarithmic scale it must be above 0"
            )
        step = _step(name, entry) if rounds else None
        distribution = FloatDistribution(float(low), float(high), log=logarithmic)
        grid = None
        if step and not logarithmic:
            grid = tuple(low + index * step for index in range(int((high - low) / step + 1e-9) + 1))
        from_draw = (lambda draw: _rounded(step, draw)) if step else (lambda draw: draw)
        ends = (float(low), float(high))
        return SweptParameter(name, distribution, from_draw, ends, grid, logarithmic)

    return make


def _by_quantile(quantile: Callable[..., float], keys: tuple[str, str], defaults, rounds: bool):
    """Returns a parser of distributions that Optuna draws from by their quantile.

    Optuna draws u uniformly and the value is the quantile at u, so that TPE knows the prior.
    """

    def make(name: str, entry: dict[str, Any]) -> SweptParameter:
        first, second = (
            _number(name, entry, key, default) for key, default in zip(keys, defaults, strict=True)
        )
        if second <= 0:
            raise UsageError(f"parameter {name} has {keys[1]} {second}; it must be above 0")
        step = _step(name, entry) if rounds else None

        def quantile_at(draw: float | int) -> float | int:
            value = float(quantile(draw, first, second))
            return _rounded(step, value) if step else value

        ends = (EDGE, 1.0 - EDGE)
        return SweptParameter(name, FloatDistribution(*ends), quantile_at, ends, None)

    return make


def _normal(quantile: float, mu: float | int, sigma: float | int) -> float:
    return float(mu + sigma * special.ndtri(quantile))


def _log_normal(quantile: float, mu: float | int, sigma: float | int) -> float:
    return math.exp(_normal(quantile, mu, sigma))


def _beta(quantile: float, a: float | int, b: float | int) -> float:
    return float(special.betaincinv(a, b, quantile))


_RANGE, _Q_RANGE = ("min", "max"), ("min", "max", "q")
_NORMAL = (("mu", "sigma"), (0.0, 1.0))
_BETA = (("a", "b"), (1.0, 1.0))
_KINDS: dict[str, tuple[Callable[[str, dict[str, Any]], SweptParameter], tuple[str, ...]]] = {
    "constant": (_constant, ("value",)),
    "categorical": (_categorical, ("values",)),
    "categorical_w_probabilities": (_weighted, ("values", "probabilities")),
    "int_uniform": (_int_uniform, _RANGE),
    "uniform": (_range(False, False), _RANGE),
    "q_uniform": (_range(False, True), _Q_RANGE),
    "log_uniform_values": (_range(True, False), _RANGE),
    "q_log_uniform_values": (_range(True, True), _Q_RANGE),
    "log_uniform": (_range(True, False, exponents=True), _RANGE),
    "q_log_uniform": (_range(True, True, exponents=True), _Q_RANGE),
    # If log(x) is uniform, so is log(1/x).
    "inv_log_uniform_values": (_range(True, False), _RANGE),
    "normal": (_by_quantile(_normal, *_NORMAL, False), _NORMAL[0]),
    "q_normal": (_by_quantile(_normal, *_NORMAL, True), (*_NORMAL[0], "q")),
    "log_normal": (_by_quantile(_log_normal, *_NORMAL, False), _NORMAL[0]),
    "q_log_normal": (_by_quantile(_log_normal, *_NORMAL, True), (*_NORMAL[0], "q")),
    "beta": (_by_quantile(_beta, *_BETA, False), _BETA[0]),
    "q_beta": (_by_quantile(_beta, *_BETA, True), (*_BETA[0], "q")),
}
