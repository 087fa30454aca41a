"""What can be wrong between a sweep and its experiment, found before the first trial."""

import contextlib
import dataclasses
import difflib
import io
import json
import re
import tempfile
from pathlib import Path
from types import ModuleType
from typing import Any

from lecture_models.commands import run
from lecture_models.commands.flags import command_flags
from lecture_models.commands.invocation import Invocation
from lecture_models.config import UsageError, did_you_mean
from lecture_models.sweeps.spec import Spec
from lecture_models.sweeps.worker import as_flag
from lecture_models.training.processes import ProcessGroupOptions

# Of a run: the sweep names its trials' folders, and sweeps seeds as any other parameter.
NOT_FOR_TRIALS = {"workdir", "seeds", "help", "h", "list", *ProcessGroupOptions._fields}
MOST_POINTS = 1_000  # Of a grid, tried on the Config.


def check(invocation: Invocation, name: str, module: ModuleType, spec: Spec) -> int:
    """How many evaluations a whole trial has. Raises UsageError for what a trial would refuse.

    `invocation` has the flags that every trial has.
    """
    fields = {field.name for field in dataclasses.fields(module.Config)}
    for swept in spec.parameters:
        if swept not in fields:
            raise UsageError(
                f"the experiment {name} has no parameter {swept!r}{did_you_mean(swept, fields)}"
            )
    flags = set(command_flags("run")) - NOT_FOR_TRIALS
    for constant in spec.constants:
        if constant not in fields | flags:
            raise UsageError(
                f"the experiment {name} has no parameter {constant!r}"
                f"{did_you_mean(constant, fields | flags)}"
            )
    given = {word.lstrip("-").partition("=")[0] for word in invocation.arguments}
    for swept in spec.parameters:
        if given & {swept, f"no{swept}"}:
            raise UsageError(f"--{swept} is a parameter of the sweep; leave one of them out")
    configs = _configs(invocation, name, module, spec)
    most = max(-(-each.num_steps // each.eval_every) or 1 for each in configs)
    if spec.early and spec.early.least > most:
        raise UsageError(
            f"early_terminate begins at evaluation {spec.early.least}; a run of {name} has {most}: "
            "lower min_iter or --eval_every"
        )
    return most


def _configs(invocation: Invocation, name: str, module: ModuleType, spec: Spec) -> list[Any]:
    """Of a grid its points, else both ends of each range and every choice, the others at theirs.

    A value is refused where it is with the others both at their first and at their last.
    """

    def config(draws: dict[str, Any]) -> Any:
        values = spec.constants | spec.values(draws)
        flags = [f"--{key}={as_flag(value)}" for key, value in values.items()]
        one = invocation._replace(arguments=[*invocation.arguments, *flags])
        return run.choose(name, module, run.read_flags(one, module)).config

    if spec.method == "grid":
        points = list(spec.points())
        every = points[:: max(1, len(points) // MOST_POINTS)]
        return [config(point) for point in every]
    first = {key: each.ends[0] for key, each in spec.parameters.items()}
    last = {key: each.ends[-1] for key, each in spec.parameters.items()}
    configs = []
    for key, each in spec.parameters.items():
        for end in each.ends:
            try:
                configs.append(config(first | {key: end}))
            except UsageError:
                configs.append(config(last | {key: end}))
    return configs


def logged_names(invocation: Invocation, name: str, module: ModuleType) -> list[str]:
    """The metrics that the experiment logs, from a run of its smoke preset, which takes seconds.

    Raises UsageError where that fails, and whatever the data or the weights refuse.
    """
    places = ("data_dir", "weights_dir")
    kept = [word for word in invocation.arguments if word.lstrip("-").startswith(places)]
    said = io.StringIO()
    with tempfile.TemporaryDirectory() as folder:
        flags = [
            f"--experiment={name}",
            "--preset=smoke",
            "--wandb=disabled",
            f"--workdir={folder}",
        ]
        one = invocation._replace(arguments=[*kept, *flags])
        with contextlib.redirect_stderr(said), contextlib.redirect_stdout(said):
            code = run.run(one, name)
        if code > 128:
            raise SystemExit(code)
        if code:
            last = said.getvalue().strip().splitlines()[-1:]
            raise UsageError(f"{name} fails with its smoke preset: {''.join(last)}")
        return sorted(json.loads((Path(folder) / "summary.json").read_text("utf-8"))["metrics"])


def check_metric(metric: str, names: list[str], experiment: str) -> None:
    """Raises UsageError, with the nearest names, for a metric that is never logged."""

    def shape(each: str) -> str:  # A width in a name is that of the smoke preset.
        return re.sub(r"\d+", "0", each)

    if shape(metric) in map(shape, names):
        return
    tail = metric.rpartition("/")[2]
    near = [each for each in names if each.rpartition("/")[2] == tail]
    near += difflib.get_close_matches(metric, names, n=4, cutoff=0.4)
    shown = ", ".join(dict.fromkeys(near or names))
    raise UsageError(
        f"{experiment} never logs {metric!r}; {'nearest' if near else 'it logs'}: {shown}"
    )
