"""Checks a sweep against its experiment before the first trial."""

import contextlib
import dataclasses
import difflib
import io
import re
import tempfile
from pathlib import Path
from types import ModuleType
from typing import Any

from lecture_models.commands import run
from lecture_models.commands.flags import command_flags
from lecture_models.commands.invocation import Invocation
from lecture_models.config import UsageError
from lecture_models.runs import renames
from lecture_models.runs.arguments import flag_names, split_flags
from lecture_models.runs.reader import read_summary
from lecture_models.sweeps.spec import SweepSpec
from lecture_models.sweeps.worker import as_flag
from lecture_models.training.processes import ProcessGroupOptions

# Flags of a run that a sweep's file cannot set: the sweep chooses the folders of its trials, and
# varies the seed as it does any other parameter.
NOT_FOR_TRIALS = {"workdir", "seeds", "output", "help", "h", "list", *ProcessGroupOptions._fields}
MAX_POINTS = 1_000  # Points of a grid that are tried on the Config.


def check(invocation: Invocation, name: str, module: ModuleType, spec: SweepSpec) -> int:
    """Checks names and values of a sweep's parameters.

    Args:
        invocation: the command line with the flags that all trials share.
        name: the experiment.
        module: its module.
        spec: the sweep.

    Returns:
        The number of evaluations of a whole trial.

    Raises:
        UsageError: if a trial would refuse its command line.
    """
    fields = {field.name for field in dataclasses.fields(module.Config)}
    flags = set(command_flags("run")) - NOT_FOR_TRIALS
    _check_names(name, spec.parameters, fields)
    _check_names(name, spec.constants, fields | flags)
    typed = flag_names(invocation.arguments)
    for parameter in spec.parameters:
        if typed & {parameter, f"no{parameter}"}:
            raise UsageError(
                f"--{parameter} is also a parameter of the sweep; remove one of the two"
            )
    configs = _configs(invocation, name, module, spec)
    most = max(-(-config.num_steps // config.eval_every) or 1 for config in configs)
    if spec.hyperband and spec.hyperband.min_evaluations > most:
        raise UsageError(
            f"early_terminate begins at evaluation {spec.hyperband.min_evaluations}, but a run of "
            f"{name} has {most}; lower min_iter or --eval_every"
        )
    return most


def _check_names(experiment: str, names: Any, known: set[str]) -> None:
    for name in names:
        if name not in known:
            raise UsageError(
                f"the experiment {experiment} has no parameter {name!r}"
                f"{renames.name_hint(name, known)}"
            )


def _configs(invocation: Invocation, name: str, module: ModuleType, spec: SweepSpec) -> list[Any]:
    """Makes the Configs at the edges of the sweep, or those of a grid.

    Each edge value of a parameter, and each of its choices, is tried with the other parameters at
    their first values and then at their last; it is refused if both fail.
    """

    def config(draws: dict[str, Any]) -> Any:
        values = spec.constants | spec.values(draws)
        flags = [f"--{key}={as_flag(value)}" for key, value in values.items()]
        trial = invocation._replace(arguments=[*invocation.arguments, *flags])
        return run.choose(name, module, run.read_flags(trial, module)).config

    if spec.method == "grid":
        points = list(spec.points())
        tried = points[:: max(1, len(points) // MAX_POINTS)]
        return [config(point) for point in tried]
    first = {key: parameter.edge_draws[0] for key, parameter in spec.parameters.items()}
    last = {key: parameter.edge_draws[-1] for key, parameter in spec.parameters.items()}
    configs = []
    for key, parameter in spec.parameters.items():
        for draw in parameter.edge_draws:
            try:
                configs.append(config(first | {key: draw}))
            except UsageError:
                configs.append(config(last | {key: draw}))
    return configs


def logged_names(invocation: Invocation, name: str, module: ModuleType) -> list[str]:
    """Returns the metrics that an experiment logs, from a run of its smoke preset.

    Raises UsageError if that run fails, and the errors of the data and the weights.
    """
    kept, _ = split_flags(invocation.arguments, {"data_dir", "weights_dir"})
    output = io.StringIO()
    with tempfile.TemporaryDirectory() as folder:
        flags = [
            f"--experiment={name}",
            "--preset=smoke",
            "--wandb=disabled",
            f"--workdir={folder}",
        ]
        smoke = invocation._replace(arguments=[*kept, *flags])
        with contextlib.redirect_stderr(output), contextlib.redirect_stdout(output):
            code = run.run(smoke, name)
        if code > 128:
            raise SystemExit(code)
        if code:
            last = output.getvalue().strip().splitlines()[-1:]
            raise UsageError(f"{name} fails with its smoke preset: {''.join(last)}")
        return sorted(read_summary(Path(folder)).require()["metrics"])


def check_metric(metric: str, names: list[str], experiment: str) -> None:
    """Raises UsageError, with the nearest names, for a metric that is never logged."""

    def shape(name: str) -> str:  # Numbers in names, such as widths, differ in the smoke preset.
        return re.sub(r"\d+", "0", name)

    if shape(metric) in map(shape, names):
        return
    current = renames.current_name(metric, names)
    tail = metric.rpartition("/")[2]
    near = [current] if current else [name for name in names if name.rpartition("/")[2] == tail]
    near += difflib.get_close_matches(metric, names, n=4, cutoff=0.4)
    listed = ", ".join(dict.fromkeys(near or names))
    raise UsageError(
        f"{experiment} never logs {metric!r}; {'nearest' if near else 'it logs'}: {listed}"
    )
