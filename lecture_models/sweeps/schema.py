"""States what a sweep's file may hold, in W&B's format, and says in one line what is wrong with it.

Every value is checked here, once; `distributions.py` and `spec.py` use what these models hold.
"""

import math
import re
from collections.abc import Callable
from typing import Annotated, Any, Literal, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, PlainValidator, ValidationError, model_validator

from lecture_models.config import UsageError, did_you_mean

LARGEST_INTEGER = 2**53  # Optuna computes with floats, which do not hold every larger integer.
_LONGEST_VALUE = 100  # Characters of a wrong value in a message.
# Numbers that YAML 1.1, which PyYAML reads, takes for texts: 1e-3, 5E3, 1.5e3.
_EXPONENT = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)[eE][-+]?\d+")

Model = TypeVar("Model", bound="_Entry")


def with_numbers(content: Any) -> Any:
    """Returns the content of a file with numbers in place of texts such as "1e-3"."""
    if isinstance(content, dict):
        return {key: with_numbers(value) for key, value in content.items()}
    if isinstance(content, list):
        return [with_numbers(value) for value in content]
    is_number = isinstance(content, str) and _EXPONENT.fullmatch(content)
    return float(content) if is_number else content


def validated(model: type[Model], content: Any, subject: str, kind: str = "") -> Model:
    """Returns the content of a file, or of a part of it, as a model.

    Args:
        model: states what the content must be.
        content: what YAML read.
        subject: what a message calls the content, such as "parameter x".
        kind: the distribution that has the model's keys, for a message about another key.

    Raises:
        UsageError: in one line, the first thing that is wrong.
    """
    try:
        return model.model_validate(content)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
    raise UsageError(_line(first, model, subject, kind))


def shown(value: Any) -> str:
    """Returns a value as a message shows it."""
    text = repr(value)
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}..."


def _line(error: Any, model: type["_Entry"], subject: str, kind: str) -> str:
    reason = _reason(error)
    if not error["loc"]:
        is_rule = error["type"] == "value_error"
        return (
            f"{subject} {reason}" if is_rule else f"{subject} is {shown(error['input'])}; {reason}"
        )
    key = error["loc"][0]
    if error["type"] == "missing":
        allowed = get_args(model.model_fields[key].annotation)
        choices = ", ".join(choice for choice in allowed if isinstance(choice, str))
        return f"{subject} has no {key}" + (f"; allowed: {choices}" if choices else "")
    if error["type"] == "invalid_key":
        return f"{subject} has the key {key!r}, which is not a text; write it in quotes"
    if error["type"] == "extra_forbidden":
        hint = did_you_mean(key, model.model_fields)
        keys = ", ".join(name for name in model.model_fields if name != "distribution")
        allowed = f"; {kind} allows {keys}" if kind else f"; allowed: {keys}"
        return f"{subject} has the key {key!r}{allowed if hint == '.' else hint}"
    joined = f" has {key}" if subject.startswith("parameter ") else f"'s {key} is"
    return f"{subject}{joined} {shown(error['input'])}; {reason}"


def _reason(error: Any) -> str:
    if error["type"] == "value_error":
        return str(error["ctx"]["error"])
    if error["type"] == "literal_error":
        choices = re.findall("'(.*?)'", error["ctx"]["expected"])
        if len(choices) == 1:
            return f"its {error['loc'][-1]} must be {choices[0]}"
        return f"allowed: {', '.join(choices)}"
    if error["type"] in ("model_type", "dict_type"):
        return "it must hold lines such as NAME: VALUE"
    return error["msg"].replace("Input should", "it must").replace("valid ", "")


def _number(value: Any, subject: str = "it") -> float | int:
    try:
        is_number = isinstance(value, int | float) and math.isfinite(value)
    except OverflowError:  # An integer that is too large to be a float.
        is_number = False
    if isinstance(value, bool) or not is_number:
        raise ValueError(f"{subject} must be a finite number")
    return value


def _positive(value: Any) -> float | int:
    if _number(value) <= 0:
        raise ValueError("it must be above 0")
    return value


def _whole(least: int, most: int = LARGEST_INTEGER) -> Callable[[Any], int]:
    def check(value: Any) -> int:
        is_whole = not isinstance(value, bool) and isinstance(value, int | float)
        if not is_whole or not least <= value <= most or value != int(value):
            raise ValueError(f"it must be a whole number from {least} to {most:,}")
        return int(value)

    return check


def _choice(value: Any) -> Any:
    """Checks a value that a parameter may have."""
    if isinstance(value, list):
        text = ",".join(map(str, value))
        raise ValueError(f'for a list, write "{text}", as on a command line')
    if not isinstance(value, bool | int | float | str):
        raise ValueError("a value must be a number, a text, true or false")
    return value if isinstance(value, bool | str) else _number(value, "a value")


def _choices(values: Any) -> tuple[Any, ...]:
    if not isinstance(values, list) or not values:
        raise ValueError("it must be a list of one or more")
    choices = tuple(_choice(value) for value in values)
    seen = set()
    for value in choices:
        if value in seen:
            raise ValueError(f"it lists the value {shown(value)} twice")
        seen.add(value)
    return choices


def _text(value: Any) -> str:
    if not isinstance(value, str | int | float):
        raise ValueError("it must be a text")
    return str(value)


def _shares(values: Any) -> tuple[float, ...]:
    if not isinstance(values, list) or not values:
        raise ValueError("it must be a list of one or more")
    shares = tuple(_number(value, "each") for value in values)
    if min(shares) < 0 or abs(sum(shares) - 1.0) > 1e-6:
        raise ValueError("they must sum to 1, and none may be below 0")
    return shares


Number = Annotated[float | int, PlainValidator(_number)]
Positive = Annotated[float | int, PlainValidator(_positive)]
Count = Annotated[int, PlainValidator(_whole(1))]


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SweepFile(_Entry):
    """Holds a whole file. Keys that concern W&B alone are allowed and not used."""

    method: Literal["grid", "random", "bayes"]
    metric: Any = None
    parameters: Any = None
    early_terminate: Any = None
    run_cap: Count | None = None
    name: Annotated[str, PlainValidator(_text)] | None = None
    command: list[Any] = []
    program: Any = None
    description: Any = None
    project: Any = None
    entity: Any = None
    apiVersion: Any = None  # noqa: N815 - W&B's name.
    kind: Any = None
    controller: Any = None
    job: Any = None
    image_uri: Any = None


class Metric(_Entry):
    """Holds `metric`. What W&B does with failed runs and with a target is not done here."""

    name: str
    goal: Literal["minimize", "maximize"] = "minimize"
    target: Number | None = None
    impute: Any = None
    impute_while_running: Any = None


class EarlyTerminate(_Entry):
    """Holds `early_terminate`."""

    type: Literal["hyperband"]
    min_iter: Count | None = None
    max_iter: Count | None = None
    s: Annotated[int, PlainValidator(_whole(1, 100))] | None = None
    eta: Annotated[int, PlainValidator(_whole(2, 1_000))] = 3
    strict: bool = True

    @model_validator(mode="after")
    def _check(self) -> "EarlyTerminate":
        if self.min_iter is None and (self.max_iter is None or self.s is None):
            raise ValueError("needs min_iter, or both max_iter and s")
        if self.max_iter is not None and self.first > self.max_iter:
            raise ValueError(f"has min_iter {self.first}, above max_iter {self.max_iter}")
        return self

    @property
    def first(self) -> int:
        """Returns the number of evaluations before a trial may be pruned."""
        if self.min_iter is not None:
            return self.min_iter
        return max(1, self.max_iter // self.eta**self.s)


class Constant(_Entry):
    """Holds a parameter with one value."""

    value: Annotated[Any, PlainValidator(_choice)]


class Categorical(_Entry):
    """Holds a parameter with several values."""

    values: Annotated[tuple[Any, ...], PlainValidator(_choices)]


class Weighted(Categorical):
    """Holds a parameter with several values and the probability of each."""

    probabilities: Annotated[tuple[float, ...], PlainValidator(_shares)]

    @model_validator(mode="after")
    def _check(self) -> "Weighted":
        if len(self.values) != len(self.probabilities):
            raise ValueError(
                f"has {len(self.values)} values and {len(self.probabilities)} probabilities"
            )
        return self


class Range(_Entry):
    """Holds a parameter between two numbers."""

    min: Number
    max: Number

    @model_validator(mode="after")
    def _check(self) -> "Range":
        if self.min > self.max:
            raise ValueError(f"has min {self.min}, above max {self.max}")
        if self.min == self.max:
            raise ValueError(f"has the empty range {self.min} to {self.max}; write value instead")
        if not math.isfinite(float(self.max) - float(self.min)):
            raise ValueError(f"has the range {self.min} to {self.max}, which is too large")
        return self


class QuantizedRange(Range):
    """Holds a range whose values are rounded to multiples of `q`."""

    q: Positive = 1.0


class Normal(_Entry):
    """Holds the mean and the standard deviation of a value, or of its logarithm."""

    mu: Number = 0.0
    sigma: Positive = 1.0


class QuantizedNormal(Normal):
    """Holds a normal distribution whose values are rounded to multiples of `q`."""

    q: Positive = 1.0


class Beta(_Entry):
    """Holds the two parameters of a beta distribution."""

    a: Positive = 1.0
    b: Positive = 1.0


class QuantizedBeta(Beta):
    """Holds a beta distribution whose values are rounded to multiples of `q`."""

    q: Positive = 1.0
