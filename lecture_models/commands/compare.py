"""`--compare`: what differs between past runs."""

from pathlib import Path

from lecture_models import files
from lecture_models.commands.flags import read_alone
from lecture_models.commands.invocation import Invocation, announce
from lecture_models.commands.table_output import output_path
from lecture_models.config import UsageError
from lecture_models.reports.comparison import FORMATS, Comparison, compare_runs
from lecture_models.runs.folder import RunFolderError
from lecture_models.runs.past_run import read_past_run
from lecture_models.training.printing import until_reader_leaves

_HELP = """\
python launch.py --compare=RUN,RUN[,RUN...] [--output=FILE.md|.json]

Prints what differs between past runs: config, data, versions, commit, device, metrics."""


def compare(invocation: Invocation, given: str) -> int:
    """Prints Markdown, or writes a file in the format of its suffix.

    Raises UsageError for a wrong command line, RunFolderError for a folder that is not of a run.
    """
    values = read_alone("compare", invocation.argv, advice="folders are separated by commas")
    if values.help:
        print(_HELP)
        return 0
    output = output_path(values.output, FORMATS)
    comparison = compare_runs([read_past_run(folder) for folder in _folders(given)])
    _show(comparison, output)
    return 0


def _folders(given: str) -> list[Path]:
    folders = [Path(part.strip()).expanduser() for part in given.split(",") if part.strip()]
    if len(folders) < 2:
        raise UsageError(f"--compare is {given or 'empty'}; it must be two folders or more")
    real = [folder.resolve() for folder in folders]
    twice = [folder for folder in folders if real.count(folder.resolve()) > 1]
    if twice:
        raise RunFolderError(f"--compare names {twice[0]} twice; a run is no other than itself")
    return folders


def _show(comparison: Comparison, output: Path | None) -> None:
    if output is None:
        with until_reader_leaves():
            print(FORMATS[".md"](comparison), end="")
        return
    files.write_bytes(output, FORMATS[output.suffix.lower()](comparison).encode())
    announce(f"written: {output}")
