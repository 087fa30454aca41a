"""W&B's distributions as Optuna's: those that Optuna lacks are drawn by their quantile."""

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

EDGE = 1e-4  # Quantiles are drawn from EDGE to 1 - EDGE: the tails of a normal have no end.


class Parameter(NamedTuple):
    """A parameter of a sweep.

    - `drawn` is what Optuna draws, `value(draw)` what the run is given.
    - `ends` are draws whose values a Config must take: every choice, or both ends of a range.
    - `grid` are the draws of a grid, None where a range has no steps.
    """

    name: str
    drawn: BaseDistribution
    value: Callable[[Any], Any]
    ends: tuple[Any, ...]
    grid: tuple[Any, ...] | None
    log: bool = False


def parameter(name: str, given: Any) -> Parameter:
    """One entry of `parameters`, in W&B's format. Raises UsageError, naming the parameter."""
    if not isinstance(given, dict):
        raise UsageError(
            f"parameter {name} is {given!r}; it must have value, values or min and max"
        )
    kind = given.get("distribution") or _inferred(name, given)
    if kind not in _KINDS:
        raise UsageError(
            f"parameter {name} has the distribution {kind!r}{did_you_mean(str(kind), _KINDS)} "
            f"Allowed: {', '.join(sorted(_KINDS))}"
        )
    make, allowed = _KINDS[kind]
    unknown = sorted(given.keys() - {*allowed, "distribution"})
    if unknown:
        raise UsageError(
            f"parameter {name} has {unknown[0]!r}, which {kind} does not know; it has "
            f"{', '.join(allowed)}"
        )
    return make(name, given)


def _inferred(name: str, given: dict[str, Any]) -> str:
    """As W&B: by what is there, and for a range by the type of its ends."""
    if "parameters" in given:
        raise UsageError(f"parameter {name} has parameters of its own; a Config's fields have none")
    if "value" in given:
        return "constant"
    if "values" in given:
        return "categorical_w_probabilities" if "probabilities" in given else "categorical"
    if "min" not in given or "max" not in given:
        raise UsageError(
            f"parameter {name} has {_listed(given)}; it must have value, values, or min and max"
        )
    whole = [isinstance(given[end], int) for end in ("min", "max")]
    if all(whole):
        return "int_uniform"
    if any(whole):
        raise UsageError(
            f"parameter {name} goes from {given['min']} to {given['max']}, one of them whole; "
            "write both as 1 or both as 1.0, or name its distribution"
        )
    return "uniform"


def _listed(given: dict[str, Any]) -> str:
    return ", ".join(map(str, given)) or "nothing"


def _number(
    name: str, given: dict[str, Any], key: str, default: float | None = None
) -> float | int:
    value = given.get(key, default)
    if isinstance(value, str):  # YAML takes 1e-3 for a text: it wants 1.0e-3.
        raise UsageError(
            f"parameter {name} has the text {value!r} for {key}; YAML reads 1.0e-3 as a number"
        )
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise UsageError(f"parameter {name} has {value!r} for {key}; it must be a finite number")
    return value


def _ends(name: str, given: dict[str, Any]) -> tuple[float | int, float | int]:
    low, high = _number(name, given, "min"), _number(name, given, "max")
    if low > high:
        raise UsageError(f"parameter {name} has min {low}, above max {high}")
    if low == high:
        raise UsageError(f"parameter {name} goes from {low} to {high}; an empty range: write value")
    return low, high


def _step(name: str, given: dict[str, Any]) -> float | int:
    step = _number(name, given, "q", 1.0)
    if step <= 0:
        raise UsageError(f"parameter {name} has q {step}; it must be above 0")
    return step


def _rounded(step: float | int, value: float | int) -> float | int:
    """To a multiple of the step; as a whole number where the step is one."""
    near = round(value / step) * step
    return int(near) if step == int(step) else float(f"{near:.12g}")


def _choice(name: str, value: Any) -> Any:
    if isinstance(value, list):
        text = ",".join(map(str, value))
        raise UsageError(
            f'parameter {name} has the list {value}; write "{text}", as on a command line'
        )
    if value is None or isinstance(value, dict):
        raise UsageError(f"parameter {name} has {value!r}; it must be a number, a text or a bool")
    return value


def _constant(name: str, given: dict[str, Any]) -> Parameter:
    if "value" not in given:
        raise UsageError(f"parameter {name} is constant and has no value")
    return _of_choices(name, [given["value"]])


def _categorical(name: str, given: dict[str, Any]) -> Parameter:
    values = given.get("values")
    if not isinstance(values, list) or not values:
        raise UsageError(
            f"parameter {name} has values {values}; it must be a list with one or more"
        )
    return _of_choices(name, values)


def _of_choices(name: str, values: list[Any]) -> Parameter:
    choices = tuple(_choice(name, value) for value in values)
    repeated = [value for index, value in enumerate(choices) if value in choices[:index]]
    if repeated:
        raise UsageError(f"parameter {name} has the value {repeated[0]!r} twice")
    drawn = CategoricalDistribution(choices)
    return Parameter(name, drawn, lambda draw: draw, choices, choices)


def _weighted(name: str, given: dict[str, Any]) -> Parameter:
    choices = _categorical(name, given).ends
    shares = given.get("probabilities")
    if not isinstance(shares, list) or len(shares) != len(choices):
        raise UsageError(f"parameter {name} has {len(choices)} values and probabilities {shares}")
    if min(shares) < 0 or abs(sum(shares) - 1.0) > 1e-6:
        raise UsageError(f"parameter {name} has probabilities {shares}; they must sum to 1")
    bounds = [sum(shares[: index + 1]) for index in range(len(shares))]

    def value(draw: float | int) -> Any:
        return next(
            (c for c, bound in zip(choices, bounds, strict=True) if draw < bound), choices[-1]
        )

    middles = tuple(bound - share / 2 for bound, share in zip(bounds, shares, strict=True) if share)
    return Parameter(name, FloatDistribution(0.0, 1.0), value, middles, None)


def _int_uniform(name: str, given: dict[str, Any]) -> Parameter:
    low, high = _ends(name, given)
    if low != int(low) or high != int(high):
        raise UsageError(
            f"parameter {name} goes from {low} to {high}; int_uniform needs whole ends"
        )
    low, high = int(low), int(high)
    grid = tuple(range(low, high + 1)) if high - low < 100_000 else None
    return Parameter(name, IntDistribution(low, high), lambda draw: draw, (low, high), grid)


def _range(logarithmic: bool, rounds: bool, exponents: bool = False) -> Callable[..., Parameter]:
    def make(name: str, given: dict[str, Any]) -> Parameter:
        low, high = _ends(name, given)
        if exponents:
            low, high = math.exp(low), math.exp(high)
        if logarithmic and low <= 0:
            raise UsageError(
                f"parameter {name} has min {low}; on a logarithmic scale it must be above 0"
            )
        step = _step(name, given) if rounds else None
        drawn = FloatDistribution(float(low), float(high), log=logarithmic)
        grid = None
        if step and not logarithmic:
            grid = tuple(low + index * step for index in range(int((high - low) / step + 1e-9) + 1))
        value = (lambda draw: _rounded(step, draw)) if step else (lambda draw: draw)
        return Parameter(name, drawn, value, (float(low), float(high)), grid, logarithmic)

    return make


def _by_quantile(quantile: Callable[..., float], keys: tuple[str, str], defaults, rounds: bool):
    """Optuna draws u, the run is given the family's quantile at u: TPE then has its prior."""

    def make(name: str, given: dict[str, Any]) -> Parameter:
        first, second = (
            _number(name, given, key, default) for key, default in zip(keys, defaults, strict=True)
        )
        if second <= 0:
            raise UsageError(f"parameter {name} has {keys[1]} {second}; it must be above 0")
        step = _step(name, given) if rounds else None

        def value(draw: float | int) -> float | int:
            drawn = float(quantile(draw, first, second))
            return _rounded(step, drawn) if step else drawn

        ends = (EDGE, 1.0 - EDGE)
        return Parameter(name, FloatDistribution(*ends), value, ends, None)

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
_KINDS: dict[str, tuple[Callable[[str, dict[str, Any]], Parameter], tuple[str, ...]]] = {
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
    # The logarithm of 1/x is uniform where that of x is.
    "inv_log_uniform_values": (_range(True, False), _RANGE),
    "normal": (_by_quantile(_normal, *_NORMAL, False), _NORMAL[0]),
    "q_normal": (_by_quantile(_normal, *_NORMAL, True), (*_NORMAL[0], "q")),
    "log_normal": (_by_quantile(_log_normal, *_NORMAL, False), _NORMAL[0]),
    "q_log_normal": (_by_quantile(_log_normal, *_NORMAL, True), (*_NORMAL[0], "q")),
    "beta": (_by_quantile(_beta, *_BETA, False), _BETA[0]),
    "q_beta": (_by_quantile(_beta, *_BETA, True), (*_BETA[0], "q")),
}
