"""`--experiment`: flags -> Config -> build -> loop."""

import contextlib
import inspect
from pathlib import Path
from types import ModuleType
from typing import Any

from lecture_models.commands.invocation import Invocation, announce, folder
from lecture_models.data.folder import PictureOptions
from lecture_models.data.lookup import Library
from lecture_models.runtime import catalogue, parallel, session, start
from lecture_models.runtime.command_flags import command_flags
from lecture_models.runtime.config import (
    PRESETS,
    UsageError,
    as_typed,
    define_config_flags,
    make_config,
    options,
    parse,
)
from lecture_models.runtime.printing import until_reader_leaves
from lecture_models.runtime.run_folder import RunFolder, default_folder
from lecture_models.runtime.team import Invitation, Team, join


def run(invocation: Invocation, name: str) -> int:
    """Trains one run, from its start or from where its folder stands; returns the exit code.

    Raises UsageError for a wrong command line, TeamError where another process of the run cannot
    begin, and whatever the data, the weights or the folder refuse.
    """
    module = catalogue.load(invocation.house.experiments, name)
    values = command_flags("run")
    define_config_flags(module.Config, values)
    leftover = parse(values, invocation.argv)
    if values.help:
        with until_reader_leaves():
            show_help(name, module)
        return 0
    if leftover:
        raise UsageError(f"unexpected argument {leftover[0]!r}; flags begin with --")
    config = make_config(module.Config, overrides(module, values.preset), values)
    team = join(Invitation(**{each: values[each].value for each in Invitation._fields}))
    with team.attending():
        plan = _plan(invocation, name, module, values, config, team)
        if not team.leads:
            return session.follow(plan)
        workdir = values.workdir or default_folder(Path("runs"), name)
        with contextlib.closing(RunFolder(Path(workdir).expanduser())) as run_folder:
            return session.run(plan, run_folder)


def _plan(
    invocation: Invocation, name: str, module: ModuleType, values: Any, config: Any, team: Team
) -> session.Plan:
    pictures = None
    if values["image_size"].present or values["skip_bad_images"].present:
        pictures = make_config(PictureOptions, {}, values)
    start.use_compilation_cache()
    library = Library(folder(values.data_dir), announce, picture_options=pictures)
    libraries = [library]
    if "weights" in inspect.signature(module.build).parameters:
        from lecture_models.weights.pretrained import Weights

        libraries.append(Weights(folder(values.weights_dir), announce))
    experiment = module.build(config, *libraries)
    used = [each for source in libraries for each in source.provenance]
    return session.Plan(
        name=name,
        title=module.__doc__.partition("\n")[0],
        preset=values.preset,
        config=config,
        experiment=experiment,
        data=[session.plain_provenance(each) for each in used],
        program=invocation.program,
        arguments=invocation.arguments,
        root=invocation.house.root,
        wandb_mode=values.wandb,
        process_began=invocation.began,
        devices=parallel.choose(experiment, team, values.devices, announce),
    )


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
