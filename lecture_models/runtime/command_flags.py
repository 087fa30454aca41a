"""The launcher's own flags, by command; an experiment's fields come on top of those of a run."""

from typing import NamedTuple

from absl import flags

from lecture_models.runtime.config import PRESETS


class LauncherFlag(NamedTuple):
    """`choices` are the words that are allowed, where not every one is; a bool has neither.

    `kind` is needed where the default is None and the flag no text.
    """

    name: str
    default: str | int | bool | None
    text: str
    choices: tuple[str, ...] = ()
    kind: type | None = None


_SHARED = (
    LauncherFlag("experiment", None, "a file of experiments/"),
    LauncherFlag("list", False, "list experiments and tables"),
    LauncherFlag("help", False, "show the flags"),
    LauncherFlag(
        "data_dir",
        None,
        "where data sets are looked for and put (default $LECTURE_MODELS_DATA, else a cache); with "
        "--dataset=folder, your own pictures",
    ),
    LauncherFlag(
        "weights_dir",
        None,
        "where pretrained weights are looked for and put (default $LECTURE_MODELS_WEIGHTS, else a "
        "cache)",
    ),
)
_RUN = (
    LauncherFlag(
        "workdir",
        None,
        "the run's folder; the same command with the same folder resumes "
        "(default runs/EXPERIMENT/TIME-ID)",
    ),
    LauncherFlag("preset", "default", "overrides of the defaults", PRESETS),
    LauncherFlag(
        "image_size",
        28,
        "for --dataset=folder: the sides that pictures are resized to, a multiple of 4",
    ),
    LauncherFlag(
        "skip_bad_images",
        False,
        "for --dataset=folder: go on without the files that cannot be read",
    ),
    LauncherFlag(
        "wandb",
        "auto",
        "auto is online with a key or login, else offline",
        ("auto", "online", "offline", "disabled"),
    ),
    LauncherFlag(
        "devices",
        0,
        "devices of this process that divide every batch; 0 is as many as the batch can be divided "
        "among",
    ),
    LauncherFlag(
        "coordinator",
        None,
        "HOST:PORT of process 0, the same for all processes of a run on several hosts; auto asks "
        "the cluster, such as SLURM",
    ),
    LauncherFlag("num_processes", None, "with --coordinator: how many there are", kind=int),
    LauncherFlag(
        "process_id", None, "with --coordinator: from 0, which leads and writes", kind=int
    ),
    LauncherFlag("join_timeout", 120, "with --coordinator: seconds until all must have come"),
)
_TABLE = (
    LauncherFlag("table", None, "a file of experiments/tables/"),
    LauncherFlag("output", None, "a file .md, .html, .csv or .json in place of the terminal"),
    LauncherFlag("runs_dir", "runs", "where finished runs are looked for"),
)
COMMANDS: dict[str, tuple[LauncherFlag, ...]] = {"run": _RUN, "table": _TABLE}


def command_flags(*commands: str) -> flags.FlagValues:
    """The flags that every command has, and those of the commands that are named."""
    values = flags.FlagValues()
    for flag in (*_SHARED, *(each for name in commands for each in COMMANDS[name])):
        _define(values, flag)
    return values


def _define(values: flags.FlagValues, flag: LauncherFlag) -> None:
    if flag.choices:
        flags.DEFINE_enum(flag.name, flag.default, flag.choices, flag.text, flag_values=values)
        return
    if isinstance(flag.default, bool):
        short = "h" if flag.name == "help" else None
        flags.DEFINE_bool(flag.name, flag.default, flag.text, short_name=short, flag_values=values)
        return
    is_number = int in (flag.kind, type(flag.default))
    define = flags.DEFINE_integer if is_number else flags.DEFINE_string
    define(flag.name, flag.default, flag.text, flag_values=values)
