"""Defines the launcher's own flags by command; a run also has the fields of its experiment."""

from pathlib import Path

from absl import flags

from lecture_models.commands.config_flags import parse
from lecture_models.commands.launcher_flag import LauncherFlag, define
from lecture_models.config import PRESETS, UsageError

_PROCESSES = (
    LauncherFlag(
        "coordinator",
        None,
        "for a run on several hosts: HOST:PORT of process 0, the same in all processes; auto asks "
        "the cluster, such as SLURM",
    ),
    LauncherFlag("num_processes", None, "with --coordinator: number of processes", kind=int),
    LauncherFlag(
        "process_id",
        None,
        "with --coordinator: number of this process, from 0; process 0 writes the run's folder",
        kind=int,
    ),
    LauncherFlag(
        "join_timeout",
        120,
        "with --coordinator: seconds to wait until all processes have started",
    ),
)
_SHARED = (
    LauncherFlag("experiment", None, "name of an experiment; --list prints all of them"),
    LauncherFlag("list", False, "lists the experiments and tables"),
    LauncherFlag("help", False, "prints help for the command"),
    LauncherFlag(
        "data_dir",
        None,
        "folder in which data sets are searched, and to which they are downloaded (default: "
        "$LECTURE_MODELS_DATA, else a cache folder); with --dataset=folder, your own images",
        kind=Path,
    ),
    LauncherFlag(
        "weights_dir",
        None,
        "folder in which pretrained weights are searched, and to which they are downloaded "
        "(default: $LECTURE_MODELS_WEIGHTS, else a cache folder)",
        kind=Path,
    ),
)
_WANDB = (
    LauncherFlag(
        "wandb",
        "auto",
        "how runs are logged to W&B; auto is $WANDB_MODE, else online after `wandb login` or with "
        "an API key, else offline",
        ("auto", "online", "offline", "disabled"),
    ),
    LauncherFlag("wandb_project", None, "W&B's project ($WANDB_PROJECT, else lecture-models)"),
    LauncherFlag("wandb_entity", None, "the user or team that owns the project ($WANDB_ENTITY)"),
    LauncherFlag("wandb_name", None, "the run's name in W&B ($WANDB_NAME, else its folder's)"),
    LauncherFlag(
        "wandb_group",
        None,
        "W&B shows the runs of a group together ($WANDB_RUN_GROUP, else the experiment, or the "
        "folder of --seeds, or the sweep's name)",
    ),
    LauncherFlag("wandb_tags", None, "tags in W&B, separated by commas ($WANDB_TAGS)"),
    LauncherFlag("wandb_notes", None, "a text about the run in W&B ($WANDB_NOTES)"),
    LauncherFlag(
        "wandb_artifacts",
        False,
        "stores the last checkpoint and the report of a finished run as artifacts of W&B",
    ),
)
WANDB_SWITCHES = {flag.name for flag in _WANDB if isinstance(flag.default, bool)}
WANDB_FLAGS = {flag.name for flag in _WANDB} - WANDB_SWITCHES
_RUN = (
    LauncherFlag(
        "workdir",
        None,
        "the run's folder; the same command with the same folder continues the run (default: "
        "runs/EXPERIMENT/TIME-ID)",
        kind=Path,
    ),
    LauncherFlag(
        "restart",
        False,
        "moves the run in --workdir aside, to WORKDIR.old-1, and begins again; nothing is deleted",
    ),
    LauncherFlag(
        "output",
        None,
        "writes the finished picture to this .png, .jpg or .tif file, a film to this .gif or .mp4",
        kind=Path,
    ),
    LauncherFlag(
        "weights",
        None,
        "with --model=FILE.py:FUNCTION, a network of your own: the .safetensors file with its "
        "parameters (docs/own_model.md)",
        kind=Path,
    ),
    LauncherFlag(
        "preset",
        "default",
        "which values fields have unless a flag sets them: default takes minutes, paper is the "
        "published training, smoke takes seconds",
        PRESETS,
    ),
    LauncherFlag(
        "seeds",
        None,
        "trains once per seed, and prints mean and spread: 3 means the seeds 0, 1 and 2; 0,1,7 "
        "lists the seeds",
    ),
    LauncherFlag(
        "image_size",
        28,
        "with --dataset=folder: height and width to which images are resized, a multiple of 4",
    ),
    LauncherFlag(
        "skip_bad_images",
        False,
        "with --dataset=folder, or several pictures in --images: skips files that cannot be read, "
        "instead of stopping",
    ),
    *_WANDB,
    LauncherFlag(
        "devices",
        0,
        "number of devices of this process among which each batch is divided; 0 uses as many as "
        "divide the batch evenly",
    ),
    LauncherFlag(
        "fast_convolutions",
        True,
        "on a CPU, computes convolutions by faster algorithms (docs/cpu_convolutions.md); "
        "--nofast_convolutions uses XLA's own",
    ),
    *_PROCESSES,
)
# Flags of a run that say how data are read and computed.
_OF_EVALUATIONS = ("image_size", "skip_bad_images", "fast_convolutions", "devices")
_TABLE = (
    LauncherFlag(
        "table", None, "name of a table; list; or trained, for every table with trained cells"
    ),
    LauncherFlag(
        "run",
        None,
        "first trains the runs that the table lacks, with three seeds each; --run means "
        "--run=paper, whose runs fill the paper's cells, others get rows of their own",
        PRESETS,
        alone="paper",
    ),
    *(flag for flag in _WANDB if flag.name != "wandb_name"),
    LauncherFlag(
        "output",
        None,
        "writes the table to this .md, .html, .csv or .json file; with --table=trained, the "
        "folder that gets a .md file for each table",
        kind=Path,
    ),
    LauncherFlag("runs_dir", Path("runs"), "folder in which finished runs are searched"),
)
_LECTURE = (
    LauncherFlag("lecture", None, "number of a lecture, such as 004; or list"),
    LauncherFlag(
        "run",
        None,
        "runs the command of every slide and writes a page: smoke takes seconds for each, default "
        "minutes; --run means --run=smoke",
        ("smoke", "default"),
        alone="smoke",
    ),
    LauncherFlag(
        "workdir",
        None,
        "folder of the runs and of the page (default: runs/lectures); the same command continues",
        kind=Path,
    ),
    LauncherFlag("output", None, "writes the page to this .html file", kind=Path),
    *(flag for flag in _WANDB if flag.name != "wandb_name"),
)
_REPRODUCE = (
    LauncherFlag(
        "reproduce", None, "folder of a finished run, which is repeated and compared", kind=Path
    ),
    LauncherFlag("tolerance", 0.0, "relative difference of a metric that counts as equal"),
    *(
        flag
        for flag in _RUN
        if flag.name not in ("preset", "seeds", "output", "restart") and flag not in _PROCESSES
    ),
)
_CHECKPOINT = LauncherFlag(
    "checkpoint",
    "latest",
    "which checkpoint of the run is read: a step, latest, or best, by the experiment's own metric",
)
_EVALUATE = (
    LauncherFlag(
        "evaluate", None, "folder of a run, which is evaluated without training", kind=Path
    ),
    _CHECKPOINT,
    LauncherFlag(
        "samples", None, "draws so many new pictures instead of evaluating the run", kind=int
    ),
    LauncherFlag(
        "output",
        None,
        "folder that is written; with --samples also a .png file, for one grid (default: a new "
        "folder RUN/evaluations/STEP)",
        kind=Path,
    ),
    *(flag for flag in _RUN if flag.name in _OF_EVALUATIONS),
)
_EXPORT = (
    LauncherFlag("export", None, "folder of a run, whose parameters are written", kind=Path),
    _CHECKPOINT,
    LauncherFlag("output", None, "the .safetensors file that is written", kind=Path),
)
_COMPARE = (
    LauncherFlag("compare", None, "folders of runs, separated by commas"),
    LauncherFlag("output", None, "writes the comparison to this .md or .json file", kind=Path),
)
_FIND = (
    LauncherFlag(
        "runs", None, "conditions on past runs, such as 'eval/loss<1.0, seed=0, status=finished'"
    ),
    LauncherFlag("runs_dir", Path("runs"), "folder in which past runs are searched"),
)
_REPORT = (
    LauncherFlag("report", None, "folder of runs, about which one page is written", kind=Path),
    LauncherFlag("output", None, "writes this .html file instead of FOLDER/index.html", kind=Path),
)
_SWEEP = (
    LauncherFlag(
        "sweep",
        None,
        "file in W&B's sweep format, such as those in experiments/sweeps/",
        kind=Path,
    ),
    LauncherFlag("num_trials", 0, "total number of trials; 0 means the file's run_cap"),
    LauncherFlag("workers", 1, "number of processes on this machine that train trials"),
    LauncherFlag(
        "storage",
        None,
        "where the sweep is recorded: postgresql://USER:PASSWORD@HOST/DATABASE, which several "
        "machines can share, or sqlite:///FILE (default: a file in the sweep's folder)",
    ),
    LauncherFlag(
        "max_retries", 2, "how many times a trial that failed or was killed is tried again"
    ),
    LauncherFlag(
        "heartbeat",
        30,
        "seconds between the heartbeats of a worker; after three missed ones, another worker takes "
        "over its trial",
    ),
    LauncherFlag("sweep_seed", 0, "random seed with which hyperparameters are drawn"),
    LauncherFlag("sweep_worker", False, "set by --workers: the process ends with its parent"),
)
COMMANDS: dict[str, tuple[LauncherFlag, ...]] = {
    "run": _RUN,
    "sweep": _SWEEP,
    "table": _TABLE,
    "lecture": _LECTURE,
    "reproduce": _REPRODUCE,
    "evaluate": _EVALUATE,
    "export": _EXPORT,
    "compare": _COMPARE,
    "find": _FIND,
    "report": _REPORT,
}


def command_flags(*commands: str) -> flags.FlagValues:
    """Defines the flags that every command has, and those of the named commands.

    If several commands have a flag of the same name, the first definition counts.
    """
    values = flags.FlagValues()
    for flag in (*_SHARED, *(flag for name in commands for flag in COMMANDS[name])):
        if flag.name not in values:
            define(values, flag)
    return values


def help_lines(command: str) -> list[tuple[str, str]]:
    """Returns the help of each flag of a command: name, type and default, then the text."""
    return [
        (f"--{flag.name} ({_kind(flag)})", flag.text)
        for flag in sorted(COMMANDS[command], key=lambda flag: flag.name)
    ]


def shared_help_lines() -> list[tuple[str, str]]:
    """Returns the help of the flags that every command has."""
    return [(f"--{flag.name} ({_kind(flag)})", flag.text) for flag in _SHARED]


def _kind(flag: LauncherFlag) -> str:
    kind = flag.value_type
    name = "path" if issubclass(kind, Path) else kind.__name__
    name = "|".join(flag.choices) or name
    return name if flag.default is None else f"{name}, {flag.default}"


def read_alone(
    command: str,
    argv: list[str],
    instead: str = "give one of them",
    advice: str = "flags begin with --",
) -> flags.FlagValues:
    """Parses the flags of a command that does not take --experiment.

    Args:
        command: the command; its first flag names it.
        argv: the program and its arguments.
        instead: advice to a user who also named an experiment.
        advice: advice to a user who typed a word that is not a flag.

    Returns:
        The parsed flags.

    Raises:
        UsageError: if the command line is wrong.
    """
    values = command_flags(command)
    leftover = parse(values, argv)
    if values.experiment is not None:
        name = COMMANDS[command][0].name
        raise UsageError(f"--{name} and --experiment are two commands; {instead}")
    if leftover:
        raise UsageError(f"unexpected argument {leftover[0]!r}; {advice}")
    return values
