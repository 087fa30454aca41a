"""`--experiment`: flags -> Config -> build -> loop."""

import contextlib
import inspect
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from lecture_models.commands import discovery
from lecture_models.commands.config_flags import define_config_flags, make_config, options, parse
from lecture_models.commands.flags import command_flags
from lecture_models.commands.invocation import Invocation, announce, folder
from lecture_models.config import PRESETS, UsageError, as_typed
from lecture_models.data.folder import PictureOptions
from lecture_models.data.lookup import Library
from lecture_models.runs.folder import RunFolder, default_folder
from lecture_models.training import devices, process_setup, session
from lecture_models.training.printing import until_reader_leaves
from lecture_models.training.processes import (
    SINGLE_PROCESS,
    ProcessGroup,
    ProcessGroupOptions,
    join,
)
from lecture_models.training.run_spec import RunSpec, plain_provenance


class Chosen(NamedTuple):
    """What is run: an experiment's module, its config, and the preset that this came from."""

    name: str
    module: ModuleType
    preset: str
    config: Any


def run(invocation: Invocation, name: str) -> int:
    """Trains one run, from its start or from where its folder stands; returns the exit code.

    Raises UsageError for a wrong command line, ProcessGroupError where another process of the run cannot
    begin, and whatever the data, the weights or the folder refuse.
    """
    module = discovery.load(invocation.house.experiments, name)
    values = read_flags(invocation, module)
    if values.help:
        with until_reader_leaves():
            show_help(name, module)
        return 0
    chosen = choose(name, module, values)
    process_group = join(
        ProcessGroupOptions(**{each: values[each].value for each in ProcessGroupOptions._fields})
    )
    with process_group.reporting_refusal():
        spec = make_run_spec(
            invocation, chosen, values, open_sources(module, values), process_group
        )
        if not process_group.is_main:
            return session.follow(spec)
        return train(spec, values.workdir or default_folder(Path("runs"), name))


def experiment_of(invocation: Invocation, asked: str) -> str:
    """The name behind --experiment. Raises UsageError where a command that needs one has none."""
    values = command_flags("run")
    values(invocation.argv, known_only=True)
    if values.experiment is None:
        raise UsageError(f"{asked} needs --experiment=NAME")
    return values.experiment


def read_flags(invocation: Invocation, module: ModuleType) -> Any:
    """The launcher's flags of a run, and the experiment's fields. Raises UsageError."""
    values = command_flags("run")
    define_config_flags(module.Config, values)
    leftover = parse(values, invocation.argv)
    if leftover and not values.help:
        raise UsageError(f"unexpected argument {leftover[0]!r}; flags begin with --")
    return values


def require_one_process(values: Any, asked: str) -> None:
    """Raises UsageError where several runs are asked for and each would want its own process_group."""
    given = [name for name in ProcessGroupOptions._fields if values[name].present]
    if given:
        raise UsageError(f"--{given[0]} is for one run on several hosts; not with {asked}")


def choose(name: str, module: ModuleType, values: Any) -> Chosen:
    config = make_config(module.Config, overrides(module, values.preset), values)
    return Chosen(name, module, values.preset, config)


def open_sources(module: ModuleType, values: Any) -> list[Any]:
    """What `build` is given beside the config; several runs of one experiment may share it."""
    pictures = None
    if values["image_size"].present or values["skip_bad_images"].present:
        pictures = make_config(PictureOptions, {}, values)
    process_setup.use_compilation_cache()
    sources: list[Any] = [Library(folder(values.data_dir), announce, picture_options=pictures)]
    if "weights" in inspect.signature(module.build).parameters:
        from lecture_models.weights.pretrained import Weights

        sources.append(Weights(folder(values.weights_dir), announce))
    return sources


def make_run_spec(
    invocation: Invocation,
    chosen: Chosen,
    values: Any,
    sources: list[Any],
    process_group: ProcessGroup = SINGLE_PROCESS,
) -> RunSpec:
    """Builds the experiment: this reads the data and the weights."""
    from lecture_models.nn.cpu.convolutions import (
        faster_convolutions,  # Not before it is needed: flax.
    )

    experiment = chosen.module.build(chosen.config, *sources)
    experiment = experiment.with_steps(faster_convolutions())
    used = [each for source in sources for each in source.provenance]
    return RunSpec(
        name=chosen.name,
        title=chosen.module.__doc__.partition("\n")[0],
        preset=chosen.preset,
        config=chosen.config,
        experiment=experiment,
        data=[plain_provenance(each) for each in used],
        program=invocation.program,
        arguments=invocation.arguments,
        root=invocation.house.root,
        wandb_mode=values.wandb,
        process_began=invocation.began,
        devices=devices.choose(experiment, process_group, values.devices, announce),
    )


def train(spec: RunSpec, workdir: Path | str) -> int:
    with contextlib.closing(RunFolder(Path(workdir).expanduser())) as run_folder:
        return session.run(spec, run_folder)


def overrides(module: ModuleType, preset: str) -> dict[str, Any]:
    return getattr(module, preset.upper(), {})


def show_help(name: str, module: ModuleType) -> None:
    print(f"{module.__doc__}\nfields of --experiment={name}:")
    for option in options(module.Config):
        default = as_typed(option.default)
        print(f"  --{option.name} ({option.type_name}, {default})  {option.reason}".rstrip())
    print("\npresets:")
    for preset in PRESETS[1:]:
        changed = " ".join(
            f"--{key}={as_typed(value)}" for key, value in overrides(module, preset).items()
        )
        print(f"  --preset={preset}  {changed}")
    print("\nflags of every experiment:")
    shared = command_flags("run")
    for flag in sorted(set(shared) - {"h"}):
        print(f"  --{flag} ({shared[flag].default})  {shared[flag].help}")
