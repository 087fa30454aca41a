"""Executes the command that the flags name; the program of this project.

python launch.py --experiment=gan_mnist
python launch.py --experiment=gan_mnist --help
python launch.py --table=vgg16_memory
python launch.py --lecture=004
python launch.py --list
"""

import time

PROCESS_BEGAN = time.perf_counter()

import errno  # noqa: E402
import importlib  # noqa: E402
import os  # noqa: E402
import signal  # noqa: E402
import sys  # noqa: E402
from pathlib import Path  # noqa: E402

from absl import flags  # noqa: E402

from lecture_models.commands.config_flags import parse, usage_error  # noqa: E402
from lecture_models.commands.flags import COMMANDS, command_flags  # noqa: E402
from lecture_models.commands.invocation import Checkout, Invocation, announce  # noqa: E402
from lecture_models.config import UsageError  # noqa: E402
from lecture_models.runs.arguments import flag_names  # noqa: E402
from lecture_models.training.interrupt import stop_signal_of, stopping_at_once  # noqa: E402
from lecture_models.training.process_setup import tune_for_cpu  # noqa: E402
from lecture_models.training.standard_streams import forgiving_standard_error  # noqa: E402

# The flag that names a command -> the module in lecture_models/commands/, which has a function of
# the same name. The function takes the invocation and the flag's value. If several of these flags
# are given, the first in this order decides.
COMMAND_OF_FLAG = {
    "list": "listing",
    "lecture": "lecture",
    "table": "table",
    "reproduce": "reproduce",
    "evaluate": "evaluate",
    "export": "export",
    "compare": "compare",
    "runs": "find_runs",
    "report": "report_index",
    "sweep": "sweep",
    "seeds": "seeds",
    "experiment": "run",
}
CHECKOUT = Checkout(Path(__file__).resolve().parent)
USAGE = """\
usage: python launch.py --experiment=NAME [--FIELD=VALUE ...]

  --list                               lists the experiments and the tables
  --experiment=NAME                    trains an experiment, or computes an analysis
  --experiment=NAME --help             lists its fields, with type, default and reason
  --experiment=NAME --seeds=5          trains with several seeds; prints mean and spread
  --experiment=NAME --sweep=FILE.yaml  searches for good hyperparameters

  --table=NAME                         prints a published table beside this project's results
  --table=NAME --run                   first trains the runs that the table lacks
  --table=list                         lists the tables, and how many cells are filled

  --lecture=list                       lists the lectures
  --lecture=004                        prints the slides, their commands and our numbers
  --lecture=004 --run=smoke            runs every slide, and writes one page

  --report=runs/                       writes runs/index.html, one page about all runs
  --runs='loss<1.0'                    finds past runs
  --compare=RUN,RUN                    prints how past runs differ
  --reproduce=RUN                      repeats a past run; prints the difference of each metric
  --evaluate=RUN                       evaluates a past run, or draws --samples=N from it
  --export=RUN --output=FILE.safetensors
                                       writes the parameters of a past run

RUN is the folder of a run. Each of these commands has more flags: add --help.
"""


def main(argv: list[str]) -> int:
    """Executes the command; returns 0 for success, 1 for failure, 2 for a wrong command line.

    A process that was stopped by signal n returns 128 + n.
    """
    tune_for_cpu()
    with forgiving_standard_error():
        return _main(argv)


def _main(argv: list[str]) -> int:
    try:
        with stopping_at_once():
            _refuse_unreadable_names(argv)
            return _dispatch(Invocation(CHECKOUT, argv[0], argv[1:], PROCESS_BEGAN))
    except UsageError as error:
        return _fail(error, 2)
    except Exception as error:
        if not _is_for_the_user(error):
            raise
        return _fail(error, 1)
    except KeyboardInterrupt as stop:
        number = stop_signal_of(stop)
        return _fail(f"stopped by {signal.Signals(number).name}", 128 + number)


def _refuse_unreadable_names(argv: list[str]) -> None:
    """Raises UsageError if a run's record could not hold the command line or the present folder."""
    try:
        present = os.getcwd()  # noqa: PTH109 - Path.cwd() also fails if the folder is gone.
    except OSError as error:
        raise UsageError(f"the present folder cannot be used: {error.strerror}") from error
    for name, text in [("the present folder", present), *(("the argument", word) for word in argv)]:
        shown = text.encode("utf-8", "backslashreplace").decode()
        if shown != text:
            raise UsageError(
                f"{name} {shown} is not UTF-8 text, so a record cannot hold it; rename it"
            )


def _fail(error: object, code: int) -> int:
    message = " ".join(str(error).split()) or "there is not enough memory"
    announce(f"error: {message}")
    return code


def _is_for_the_user(error: Exception) -> bool:
    """Returns True if the message alone says what is wrong; other errors are bugs."""
    if isinstance(error, OSError):
        return error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES)
    from lecture_models.data.dataset import DataError
    from lecture_models.files import PathError
    from lecture_models.runs.reader import RunFolderError
    from lecture_models.training.processes import ProcessGroupError
    from lecture_models.training.tracking_options import TrackingError

    kinds = (DataError, PathError, RunFolderError, ProcessGroupError, TrackingError, MemoryError)
    return isinstance(error, kinds)


def _dispatch(invocation: Invocation) -> int:
    # A flag of several commands, such as --run, has the values of the command that was typed.
    typed = flag_names(invocation.arguments)
    values = command_flags(*sorted(COMMANDS, key=lambda name: COMMANDS[name][0].name not in typed))
    try:
        values(invocation.argv, known_only=True)
    except flags.Error as error:
        raise usage_error(error, values) from error
    for flag, command in COMMAND_OF_FLAG.items():
        value = values[flag].value
        if value is not None and value is not False:
            module = importlib.import_module(f"lecture_models.commands.{command}")
            return getattr(module, command)(invocation, value)
    if values.run is not None:
        raise UsageError("--run needs --lecture=NUMBER or --table=NAME")
    _refuse_leftovers(invocation)
    print(USAGE, end="")
    return 0 if values.help else 2


def _refuse_leftovers(invocation: Invocation) -> None:
    """Raises UsageError if the command line is not empty, although no flag names a command."""
    try:
        leftover = parse(command_flags(*COMMANDS), invocation.argv)
    except UsageError as error:
        raise UsageError(f"{error} (fields of an experiment need --experiment=NAME)") from error
    if leftover:
        raise UsageError(
            f"unexpected argument {leftover[0]!r}; flags begin with --, such as --experiment=NAME"
        )


if __name__ == "__main__":
    sys.path.insert(0, os.fspath(CHECKOUT.root))
    sys.exit(main(sys.argv))
