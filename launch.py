"""Runs an experiment: flags -> Config -> build -> loop. The only file that knows argv.

python launch.py --experiment=gan_mnist
python launch.py --experiment=gan_mnist --help
python launch.py --table=vgg16_memory
python launch.py --list
"""

import time

PROCESS_BEGAN = time.perf_counter()

import contextlib  # noqa: E402
import errno  # noqa: E402
import inspect  # noqa: E402
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
from lecture_models.runtime.printing import until_reader_leaves  # noqa: E402

ROOT = Path(__file__).resolve().parent
EXPERIMENTS = ROOT / "experiments"
TABLES = EXPERIMENTS / "tables"
USAGE = """usage: python launch.py --experiment=NAME [--FIELD=VALUE ...]
       python launch.py --experiment=NAME --help   every field, with type, default and reason
       python launch.py --table=NAME [--output=FILE.md|.html|.csv|.json] [--runs_dir=DIR]
       python launch.py --list                     experiments and tables
"""


def run_flags(with_tables: bool = False) -> flags.FlagValues:
    """The flags that every experiment has."""
    values = _shared_flags()
    _string(
        values,
        "workdir",
        "the run's folder; the same command with the same folder resumes "
        "(default runs/EXPERIMENT/TIME-ID)",
    )
    flags.DEFINE_enum("preset", "default", PRESETS, "overrides of the defaults", flag_values=values)
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
    return _add_table_flags(values) if with_tables else values


def table_flags() -> flags.FlagValues:
    """The flags that every table has."""
    return _add_table_flags(_shared_flags())


def _shared_flags() -> flags.FlagValues:
    values = flags.FlagValues()
    _string(values, "experiment", "a file of experiments/")
    flags.DEFINE_bool("list", False, "list experiments and tables", flag_values=values)
    flags.DEFINE_bool("help", False, "show the flags", short_name="h", flag_values=values)
    _string(
        values,
        "data_dir",
        "where data sets are looked for and put (default $LECTURE_MODELS_DATA, else a cache); with "
        "--dataset=folder, your own pictures",
    )
    _string(
        values,
        "weights_dir",
        "where pretrained weights are looked for and put (default $LECTURE_MODELS_WEIGHTS, else a "
        "cache)",
    )
    return values


def _add_table_flags(values: flags.FlagValues) -> flags.FlagValues:
    _string(values, "table", "a file of experiments/tables/")
    _string(values, "output", "a file .md, .html, .csv or .json in place of the terminal")
    _string(values, "runs_dir", "where finished runs are looked for", default="runs")
    return values


def _string(values: flags.FlagValues, name: str, text: str, default: str | None = None) -> None:
    flags.DEFINE_string(name, default, text, flag_values=values)


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
    values, table_values = run_flags(), table_flags()
    try:
        table_values(argv, known_only=True)
        if table_values.table is not None:
            return _table(argv)
        values(argv, known_only=True)
    except flags.Error as error:
        raise UsageError(str(error)) from error
    if values.list:
        return _list()
    if values.experiment is None:
        parse(run_flags(with_tables=True), argv)  # An unknown flag is worth more than a usage text.
        print(USAGE)
        return 0 if values.help else 2
    module = catalogue.load(EXPERIMENTS, values.experiment)
    define_config_flags(module.Config, values)
    leftover = parse(values, argv)
    if values.help:
        with until_reader_leaves():
            _help(values.experiment, module)
        return 0
    if leftover:
        raise UsageError(f"unexpected argument {leftover[0]!r}; flags begin with --")
    return _run(module, values, argv)


def _list() -> int:
    with until_reader_leaves():
        for name in catalogue.names(EXPERIMENTS):
            entry = catalogue.entry(EXPERIMENTS, name)
            print(f"{name}: {entry.title}")
            for label in ("paper", "data", "cost", "expected"):
                print(f"    {label:9}{getattr(entry, label)}")
        print("\ntables, with --table=NAME:")
        for name in catalogue.names(TABLES):
            entry = catalogue.table_entry(TABLES, name)
            print(f"{name}: {entry.title}\n    source   {entry.source}")
    return 0


def _table(argv: list[str]) -> int:
    values = table_flags()
    leftover = parse(values, argv)
    if values.experiment is not None:
        raise UsageError("--table and --experiment are two commands; give one of them")
    if leftover:
        raise UsageError(f"unexpected argument {leftover[0]!r}; flags begin with --")
    from lecture_models.runtime import start, table_command
    from lecture_models.runtime.table import TableContext

    start.use_compilation_cache()
    context = TableContext(
        runs_dir=Path(values.runs_dir).expanduser(),
        weights_dir=_folder(values.weights_dir),
        data_dir=_folder(values.data_dir),
        announce=_announce,
    )
    with until_reader_leaves():
        if values.help:
            table_command.show_help(TABLES, values.table)
        else:
            table_command.show(TABLES, values.table, context, values.output)
    return 0


def _folder(given: str | None) -> Path | None:
    return Path(given).expanduser() if given else None


def _announce(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _help(name: str, module: ModuleType) -> None:
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
    library = Library(_folder(values.data_dir), _announce, picture_options=pictures)
    libraries = [library]
    if "weights" in inspect.signature(module.build).parameters:
        from lecture_models.weights.pretrained import Weights

        libraries.append(Weights(_folder(values.weights_dir), _announce))
    experiment = module.build(config, *libraries)
    used = [each for source in libraries for each in source.provenance]
    plan = session.Plan(
        name=values.experiment,
        title=module.__doc__.partition("\n")[0],
        preset=values.preset,
        config=config,
        experiment=experiment,
        data=[session.plain_provenance(each) for each in used],
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
