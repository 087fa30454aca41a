"""Trains one run of an experiment: `--experiment`."""

import contextlib
import dataclasses
import functools
import inspect
import os
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from lecture_models.commands import discovery, output
from lecture_models.commands.config_flags import (
    define_config_flags,
    make_config,
    overrides,
    parse,
)
from lecture_models.commands.flags import WANDB_FLAGS, WANDB_SWITCHES, command_flags
from lecture_models.commands.help_page import show_help
from lecture_models.commands.invocation import Invocation, announce
from lecture_models.config import UsageError
from lecture_models.data.folder import PictureOptions
from lecture_models.data.lookup import Library
from lecture_models.experiment import Experiment
from lecture_models.runs.arguments import split_flags
from lecture_models.runs.folder import RunFolder, default_folder, move_aside
from lecture_models.training import devices, process_setup, session
from lecture_models.training.printing import until_reader_leaves
from lecture_models.training.processes import (
    SINGLE_PROCESS,
    ProcessGroup,
    ProcessGroupOptions,
    initialize,
)
from lecture_models.training.run_spec import RunSpec, plain_provenance
from lecture_models.training.tracking_options import TrackingOptions, unused_variables


class Chosen(NamedTuple):
    """Holds an experiment and the config with which it is run.

    Attributes:
        name: the experiment.
        module: its module.
        preset: the preset from which the config was made.
        config: the Config.
    """

    name: str
    module: ModuleType
    preset: str
    config: Any


def run(invocation: Invocation, name: str) -> int:
    """Trains a run from its start, or from where its folder stands; returns the exit code.

    Raises UsageError for a wrong command line, ProcessGroupError if another process of the run
    cannot start, and the errors of the data, the weights and the run's folder.
    """
    module = discovery.load(invocation.checkout.experiments, name)
    values = read_flags(invocation, module)
    if values.help:
        with until_reader_leaves():
            show_help(name, module)
        return 0
    chosen = choose(name, module, values)
    if values.output:
        output.check_file(values.output)
    if values.restart and values.workdir is None:
        raise UsageError("--restart needs --workdir=RUN, the folder of the run that is moved aside")
    # Whoever repeats the command of the record resumes the run.
    _, arguments = split_flags(invocation.arguments, set(), {"restart"})
    invocation = invocation._replace(arguments=arguments)
    process_group = initialize(
        ProcessGroupOptions(**{flag: values[flag].value for flag in ProcessGroupOptions._fields})
    )
    with process_group.reporting_refusal():
        sources = open_sources(module, values)
        spec = make_run_spec(invocation, chosen, values, sources, process_group)
        if values.output:
            output.check_result(values.output, name, spec.experiment.result)
        if not process_group.is_main:
            return session.compute_only(spec)
        workdir = values.workdir or default_folder(Path("runs"), name)
        if values.restart and (aside := move_aside(workdir)):
            announce(f"the old run is now {aside}")
        code = train(spec, workdir)
    if code or not values.output:
        return code
    return output.deliver(values.output, workdir, spec.experiment.result)


def experiment_of(invocation: Invocation, command: str) -> str:
    """Returns the value of --experiment. Raises UsageError if `command` lacks it."""
    values = command_flags("run")
    values(invocation.argv, known_only=True)
    if values.experiment is None:
        raise UsageError(f"{command} needs --experiment=NAME")
    return values.experiment


def read_flags(invocation: Invocation, module: ModuleType) -> Any:
    """Parses the launcher's flags of a run and the experiment's fields. Raises UsageError."""
    values = command_flags("run")
    define_config_flags(module.Config, values)
    leftover = parse(values, invocation.argv, module.Config)
    if leftover and not values.help:
        raise UsageError(f"unexpected argument {leftover[0]!r}; flags begin with --")
    return values


def refuse_flags_of_one_run(values: Any, command: str) -> None:
    """Raises UsageError if a command that trains several runs was given a flag that is for one."""
    for name in ("output", "restart", "wandb_name"):
        if values[name].present:
            raise UsageError(f"--{name} is for one run; it cannot be combined with {command}")
    present = [name for name in ProcessGroupOptions._fields if values[name].present]
    if present:
        raise UsageError(
            f"--{present[0]} is for one run on several hosts; it cannot be combined with {command}"
        )


def part_of(series: str, invocation: Invocation, values: Any) -> Invocation:
    """Returns the command line of one run of a series; announces W&B's variables that are not used.

    Args:
        series: name of the runs that a command trains, such as that of a sweep.
        invocation: the command line.
        values: the parsed flags.
    """
    unused = unused_variables(_tracking(values, series), os.environ)
    if unused:
        announce(f"W&B: {' and '.join(unused)} not used; each run of {series} gets its own")
    return invocation._replace(series=series)


def choose(name: str, module: ModuleType, values: Any) -> Chosen:
    """Makes the Config from preset and flags. Raises UsageError if it refuses a value."""
    config = make_config(module.Config, overrides(module, values.preset), values)
    return Chosen(name, module, values.preset, _with_weights(config, values))


def _with_weights(config: Any, values: Any) -> Any:
    """Returns the Config with the file of --weights in its field `model`, which a record holds."""
    if values.weights is None:
        return config
    model = getattr(config, "model", "")
    # Imported here, because a network takes seconds to import.
    from lecture_models.weights import own_model

    if not own_model.is_own(model):
        raise UsageError(
            f"--weights is {values.weights}; it needs --model=FILE.py:FUNCTION, a network of your "
            f"own (--model is {model or 'empty'})"
        )
    return dataclasses.replace(config, model=own_model.with_weights(model, str(values.weights)))


def open_sources(module: ModuleType, values: Any) -> list[Any]:
    """Returns the arguments of `build` after the config: the data sets, and perhaps the weights.

    Several runs of one experiment may share them.
    """
    pictures = None
    if values["image_size"].present or values["skip_bad_images"].present:
        pictures = make_config(PictureOptions, {}, values)
    process_setup.use_compilation_cache()
    sources: list[Any] = [Library(values.data_dir, announce, picture_options=pictures)]
    if "weights" in inspect.signature(module.build).parameters:
        from lecture_models.commands.run_network import read_run_network
        from lecture_models.weights.pretrained import Weights

        experiments = Path(module.__file__).parent
        read_run = functools.partial(read_run_network, experiments, sources[0], announce)
        sources.append(Weights(values.weights_dir, announce, read_run))
    return sources


def make_run_spec(
    invocation: Invocation,
    chosen: Chosen,
    values: Any,
    sources: list[Any],
    process_group: ProcessGroup = SINGLE_PROCESS,
) -> RunSpec:
    """Builds the experiment, which reads the data and the weights.

    Args:
        invocation: the command line, for the record.
        chosen: the experiment and its config.
        values: the parsed flags.
        sources: what `open_sources` returned.
        process_group: the processes of the run.

    Returns:
        The run, ready to be trained.
    """
    experiment = chosen.module.build(chosen.config, *sources)
    experiment = _with_convolutions(experiment, fast=values.fast_convolutions)
    used = [provenance for source in sources for provenance in source.provenance]
    return RunSpec(
        name=chosen.name,
        title=discovery.docstring(chosen.module).partition("\n")[0],
        preset=chosen.preset,
        config=chosen.config,
        experiment=experiment,
        data=[plain_provenance(provenance) for provenance in used],
        program=invocation.program,
        arguments=invocation.arguments,
        root=invocation.checkout.root,
        tracking=_tracking(values, invocation.series),
        process_began=invocation.began,
        devices=devices.choose_devices(experiment, process_group, values.devices, announce),
        fast_convolutions=values.fast_convolutions,
    )


def _tracking(values: Any, series: str) -> TrackingOptions:
    names = WANDB_FLAGS | WANDB_SWITCHES
    given = {name: values[name].value for name in names if name in values}
    tags = given.get("wandb_tags")
    fields = {name.removeprefix("wandb_"): value for name, value in given.items() if value}
    mode = fields.pop("wandb", "disabled")  # An evaluation of a past run is not tracked.
    if tags is not None:
        fields["tags"] = tuple(word for tag in tags.split(",") if (word := tag.strip()))
    return TrackingOptions(mode=mode, series=series, **fields)


def _with_convolutions(experiment: Experiment, fast: bool) -> Experiment:
    """Returns the experiment with the faster convolutions in its steps, or with none anywhere."""
    # Imported here because Flax takes a second, which --help need not wait for.
    from lecture_models.nn.cpu.convolutions import faster_convolutions, plain_convolutions

    if fast:
        return experiment.with_steps(faster_convolutions())
    return experiment._replace(evaluate=plain_convolutions()(experiment.evaluate))


def train(spec: RunSpec, workdir: Path) -> int:
    """Trains a run in its folder; returns the exit code."""
    with contextlib.closing(RunFolder(workdir)) as run_folder:
        return session.run(spec, run_folder)
