"""Runs an experiment: flags -> Config -> build -> loop. The only file that knows argv.

python launch.py --experiment=gan_mnist
python launch.py --experiment=gan_mnist --help
python launch.py --list
"""

import time

PROCESS_BEGAN = time.perf_counter()

import contextlib  # noqa: E402
import errno  # noqa: E402
import os  # noqa: E402
import sys  # noqa: E402
from pathlib import Path  # noqa: E402
from types import ModuleType  # noqa: E402
from typing import Any  # noqa: E402

from absl import flags  # noqa: E402

from lecture_models.runtime import catalogue  # noqa: E402
from lecture_models.runtime.config import (  # noqa: E402
    PRESETS,
    UsageError,
    as_typed,
    define_config_flags,
    make_config,
    options,
    parse,
)

ROOT = Path(__file__).resolve().parent
EXPERIMENTS = ROOT / "experiments"
USAGE = """usage: python launch.py --experiment=NAME [--FIELD=VALUE ...]
       python launch.py --experiment=NAME --help   every field, with type, default and reason
       python launch.py --list                     the experiments
"""


def run_flags() -> flags.FlagValues:
    """The flags that every experiment has."""
    values = flags.FlagValues()
    flags.DEFINE_string("experiment", None, "a file of experiments/", flag_values=values)
    flags.DEFINE_bool("list", False, "list the experiments", flag_values=values)
    flags.DEFINE_bool("help", False, "show the flags", short_name="h", flag_values=values)
    flags.DEFINE_enum("preset", "default", PRESETS, "overrides of the defaults", flag_values=values)
    flags.DEFINE_string(
        "workdir",
        None,
        "the run's folder; the same command with the same folder resumes "
        "(default runs/EXPERIMENT/TIME-ID)",
        flag_values=values,
    )
    flags.DEFINE_string(
        "data_dir",
        None,
        "where data sets are looked for and put (default $LECTURE_MODELS_DATA, else a cache); with "
        "--dataset=folder, your own pictures",
        flag_values=values,
    )
    flags.DEFINE_integer(
        "image_size",
        28,
        "for --dataset=folder: the sides that pictures are resized to, a multiple of 4",
        flag_values=values,
    )
    flags.DEFINE_bool(
        "skip_bad_images",
        False,
        "for --dataset=folder: go on without the files that cannot be read",
        flag_values=values,
    )
    flags.DEFINE_enum(
        "wandb",
        "auto",
        ("auto", "online", "offline", "disabled"),
        "auto is online with a key or login, else offline",
        flag_values=values,
    )
    return values


def main(argv: list[str]) -> int:
    """Returns the exit code: 0 done, 1 failed, 2 a wrong command line, 128 + n for signal n."""
    try:
        return _dispatch(argv)
    except UsageError as error:
        return _fail(error, 2)
    except Exception as error:
        if not _is_for_the_user(error):
            raise
        return _fail(error, 1)
    except KeyboardInterrupt:
        return _fail("interrupted before the first step; nothing was trained", 130)


def _fail(error: object, code: int) -> int:
    print(f"error: {' '.join(str(error).split())}", file=sys.stderr)
    return code


def _is_for_the_user(error: Exception) -> bool:
    """Whether the message alone says what is wrong; anything else is a bug, with its traceback."""
    if isinstance(error, OSError):
        return error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES)
    from lecture_models.data.dataset import DataError
    from lecture_models.runtime.run_folder import RunFolderError
    from lecture_models.runtime.tracking import TrackingError

    return isinstance(error, DataError | RunFolderError | TrackingError)


def _dispatch(argv: list[str]) -> int:
    values = run_flags()
    try:
        values(argv, known_only=True)
    except flags.Error as error:
        raise UsageError(str(error)) from error
    if values.list:
        return _list()
    if values.experiment is None:
        parse(run_flags(), argv)  # An unknown flag is worth more than a usage text.
        print(USAGE)
        return 0 if values.help else 2
    module = catalogue.load(EXPERIMENTS, values.experiment)
    define_config_flags(module.Config, values)
    leftover = parse(values, argv)
    if values.help:
        return _help(values.experiment, module)
    if leftover:
        raise UsageError(f"unexpected argument {leftover[0]!r}; flags begin with --")
    return _run(module, values, argv)


def _list() -> int:
    for name in catalogue.names(EXPERIMENTS):
        entry = catalogue.entry(EXPERIMENTS, name)
        print(f"{name}: {entry.title}")
        for label in ("paper", "data", "cost", "expected"):
            print(f"    {label:9}{getattr(entry, label)}")
    return 0


def _help(name: str, module: ModuleType) -> int:
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
    shared = run_flags()
    for flag in sorted(set(shared) - {"h"}):
        print(f"  --{flag} ({shared[flag].default})  {shared[flag].help}")
    return 0


def overrides(module: ModuleType, preset: str) -> dict[str, Any]:
    return getattr(module, preset.upper(), {})


def _run(module: ModuleType, values: flags.FlagValues, arguments: list[str]) -> int:
    config = make_config(module.Config, overrides(module, values.preset), values)
    from lecture_models.data.folder import PictureOptions
    from lecture_models.data.lookup import Library
    from lecture_models.runtime import session, start
    from lecture_models.runtime.run_folder import RunFolder, default_folder

    pictures = None
    if values["image_size"].present or values["skip_bad_images"].present:
        pictures = make_config(PictureOptions, {}, values)
    start.use_compilation_cache()
    library = Library(
        Path(values.data_dir).expanduser() if values.data_dir else None,
        announce=lambda line: print(line, file=sys.stderr, flush=True),
        picture_options=pictures,
    )
    experiment = module.build(config, library)
    plan = session.Plan(
        name=values.experiment,
        title=module.__doc__.partition("\n")[0],
        preset=values.preset,
        config=config,
        experiment=experiment,
        data=[session.plain_provenance(each) for each in library.provenance],
        program=arguments[0],
        arguments=arguments[1:],
        root=ROOT,
        wandb_mode=values.wandb,
        process_began=PROCESS_BEGAN,
    )
    workdir = values.workdir or default_folder(Path("runs"), values.experiment)
    with contextlib.closing(RunFolder(Path(workdir).expanduser())) as folder:
        return session.run(plan, folder)


if __name__ == "__main__":
    sys.path.insert(0, os.fspath(ROOT))
    sys.exit(main(sys.argv))
