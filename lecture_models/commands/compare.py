"""Compares past runs: `--compare`."""

from pathlib import Path

from lecture_models import files
from lecture_models.commands.flags import read_alone
from lecture_models.commands.invocation import Invocation, announce
from lecture_models.commands.table_output import check_output
from lecture_models.config import UsageError
from lecture_models.files import PathError
from lecture_models.reports.comparison import FORMATS, Comparison, compare_runs
from lecture_models.runs.past_run import read_past_run
from lecture_models.runs.reader import RunFolderError
from lecture_models.training.printing import until_reader_leaves

_HELP = """\
python launch.py --compare=RUN,RUN[,RUN...] [--output=FILE.md|.json]

Prints how past runs differ in config, data, versions, commit, device and metrics. RUN is the folder
of a run. With --output, the comparison is written to a file instead."""


def compare(invocation: Invocation, value: str) -> int:
    """Prints the comparison as Markdown, or writes it in the format of the file's suffix.

    Raises UsageError for a wrong command line, and RunFolderError for a folder that holds no run.
    """
    values = read_alone("compare", invocation.argv, advice="separate the folders by commas")
    if values.help:
        print(_HELP)
        return 0
    check_output(values.output, FORMATS)
    comparison = compare_runs([read_past_run(folder) for folder in _folders(value)])
    _show(comparison, values.output)
    return 0


def _folders(value: str) -> list[Path]:
    parts = [part.strip() for part in value.split(",") if part.strip()]
    try:
        folders = [files.local_path("--compare", part) for part in parts]
    except PathError as error:
        raise UsageError(str(error)) from error
    if len(folders) < 2:
        raise UsageError(
            f"--compare is {value or 'empty'}; it must be at least two folders, separated by commas"
        )
    real = [folder.resolve() for folder in folders]
    repeated = [folder for folder in folders if real.count(folder.resolve()) > 1]
    if repeated:
        raise RunFolderError(f"--compare names {repeated[0]} twice; name different runs")
    return folders


def _show(comparison: Comparison, output: Path | None) -> None:
    if output is None:
        with until_reader_leaves():
            print(FORMATS[".md"](comparison), end="")
        return
    files.write_bytes(output, FORMATS[output.suffix.lower()](comparison).encode())
    announce(f"written: {output}")
