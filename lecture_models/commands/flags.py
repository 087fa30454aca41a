"""The launcher's own flags, by command; an experiment's fields come on top of those of a run."""

from typing import NamedTuple

from absl import flags

from lecture_models.commands.config_flags import parse
from lecture_models.config import PRESETS, UsageError


class LauncherFlag(NamedTuple):
    """`choices` are the words that are allowed, where not every one is; a bool has neither.

    `kind` is needed where the default is None and the flag no text.
    """

    name: str
    default: str | int | float | bool | None
    text: str
    choices: tuple[str, ...] = ()
    alone: str = ""  # What the flag means without a value; then it is one of the choices.
    kind: type | None = None


_TEAM = (
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
        "seeds",
        None,
        "how many seeds, 0 on, or which (0,1,7): a run each, and their mean with its spread",
    ),
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
    *_TEAM,
)
_TABLE = (
    LauncherFlag("table", None, "a file of experiments/tables/, or list"),
    LauncherFlag(
        "run",
        None,
        "make the runs that the table's trained rows want, three seeds of each: of the paper's "
        "preset, which fill its cells, or with --run=default beside them",
        PRESETS,
        alone="paper",
    ),
    *(flag for flag in _RUN if flag.name == "wandb"),
    LauncherFlag("output", None, "a file .md, .html, .csv or .json in place of the terminal"),
    LauncherFlag("runs_dir", "runs", "where finished runs are looked for"),
)
_REPRODUCE = (
    LauncherFlag("reproduce", None, "the folder of a finished run, to run again and compare"),
    LauncherFlag("tolerance", 0.0, "the relative difference of a metric that is let pass"),
    *(flag for flag in _RUN if flag.name not in ("preset", "seeds") and flag not in _TEAM),
)
_COMPARE = (
    LauncherFlag("compare", None, "folders of runs, separated by commas"),
    LauncherFlag("output", None, "a file .md or .json in place of the terminal"),
)
_FIND = (
    LauncherFlag("runs", None, "conditions on past runs: 'eval/loss<1.0, seed=0, status=finished'"),
    LauncherFlag("runs_dir", "runs", "where past runs are looked for"),
)
_REPORT = (
    LauncherFlag("report", None, "a folder of runs, of which to make one page"),
    LauncherFlag("output", None, "a file .html in place of FOLDER/index.html"),
)
_SWEEP = (
    LauncherFlag("sweep", None, "a file in W&B's sweep format, see experiments/sweeps/"),
    LauncherFlag("num_trials", 0, "how many trials in all (default the file's run_cap)"),
    LauncherFlag("workers", 1, "how many processes of the sweep on this machine"),
    LauncherFlag(
        "storage",
        None,
        "postgresql://USER:PASSWORD@HOST/DATABASE, for many machines, or sqlite:///FILE (default "
        "a file in the sweep's folder)",
    ),
    LauncherFlag("max_retries", 2, "how often a trial that failed or was killed is tried again"),
    LauncherFlag("heartbeat", 30, "seconds between signs of life; three missed, a worker is dead"),
    LauncherFlag("sweep_seed", 0, "of the parameters that are drawn"),
    LauncherFlag("sweep_worker", False, "set by --workers: ends with its parent"),
)
COMMANDS: dict[str, tuple[LauncherFlag, ...]] = {
    "run": _RUN,
    "sweep": _SWEEP,
    "table": _TABLE,
    "reproduce": _REPRODUCE,
    "compare": _COMPARE,
    "find": _FIND,
    "report": _REPORT,
}


def command_flags(*commands: str) -> flags.FlagValues:
    """The flags that every command has, and those of the commands that are named.

    Of a flag that several of them have, the first counts.
    """
    values = flags.FlagValues()
    for flag in (*_SHARED, *(each for name in commands for each in COMMANDS[name])):
        if flag.name not in values:
            _define(values, flag)
    return values


def _define(values: flags.FlagValues, flag: LauncherFlag) -> None:
    if flag.alone:
        parser = _AloneParser(flag.choices, flag.alone)
        defined = flags.Flag(parser, None, flag.name, flag.default, flag.text, boolean=True)
        flags.DEFINE_flag(defined, flag_values=values)
        return
    if flag.choices:
        flags.DEFINE_enum(flag.name, flag.default, flag.choices, flag.text, flag_values=values)
        return
    if isinstance(flag.default, bool):
        short = "h" if flag.name == "help" else None
        flags.DEFINE_bool(flag.name, flag.default, flag.text, short_name=short, flag_values=values)
        return
    definers = {int: flags.DEFINE_integer, float: flags.DEFINE_float}
    define = definers.get(flag.kind or type(flag.default), flags.DEFINE_string)
    define(flag.name, flag.default, flag.text, flag_values=values)


class _AloneParser(flags.EnumParser):
    """Choices, and absl's word for a flag without a value."""

    def __init__(self, choices: tuple[str, ...], alone: str):
        super().__init__(choices)
        self._alone = alone

    def parse(self, argument: str) -> str:
        return self._alone if argument == "true" else super().parse(argument)


def read_alone(
    command: str,
    argv: list[str],
    instead: str = "give one of them",
    advice: str = "flags begin with --",
) -> flags.FlagValues:
    """The flags of a command that stands without --experiment, and is named by its first flag.

    Raises UsageError where an experiment is named too, with what to say `instead`, and for a word
    that is no flag, with an `advice`.
    """
    values = command_flags(command)
    leftover = parse(values, argv)
    if values.experiment is not None:
        name = COMMANDS[command][0].name
        raise UsageError(f"--{name} and --experiment are two commands; {instead}")
    if leftover:
        raise UsageError(f"unexpected argument {leftover[0]!r}; {advice}")
    return values
