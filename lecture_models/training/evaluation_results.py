"""Sorts what `evaluate` returned by kind: scalars, texts, alarms and artifacts."""

from typing import Any, NamedTuple, get_args

import jax
import numpy as np

from lecture_models.experiment import Artifact, Evaluation

ALARM_PREFIX = "alarm_"


class Results(NamedTuple):
    """Holds the results of one evaluation.

    Attributes:
        scalars: the numbers by name.
        texts: the texts by name.
        alarms: one line for each alarm that is not empty, with the step.
        artifacts: what is written to a file of its own, by name.
    """

    scalars: dict[str, float]
    texts: dict[str, str]
    alarms: list[str]
    artifacts: dict[str, Artifact]


def sorted_results(evaluation: Evaluation, step: int) -> Results:
    """Returns the results of an evaluation by kind.

    Raises TypeError, with one line that names the result, for what is none of them.
    """
    results = Results({}, {}, [], {})
    for name, value in evaluation.items():
        if isinstance(value, get_args(Artifact)):
            results.artifacts[name] = value
        elif not isinstance(value, str):
            results.scalars[name] = _scalar(name, value)
        elif not name.startswith(ALARM_PREFIX):
            results.texts[name] = value
        elif value:
            results.alarms.append(f"{name.removeprefix(ALARM_PREFIX)} at step {step}: {value}")
    return results


def _scalar(name: str, value: Any) -> float:
    array = np.asarray(jax.device_get(value))
    if array.ndim != 0:
        raise TypeError(
            f"evaluate returned {name} with shape {array.shape}; it must be a scalar, a text or "
            f"one of {', '.join(kind.__name__ for kind in get_args(Artifact))}"
        )
    return float(array)
