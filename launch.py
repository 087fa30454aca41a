"""Runs an experiment: flags -> Config -> build -> loop. The only file that knows argv.

python launch.py --experiment=gan_mnist
python launch.py --experiment=gan_mnist --help
python launch.py --table=vgg16_memory
python launch.py --list
"""

import time

PROCESS_BEGAN = time.perf_counter()

import errno  # noqa: E402
import importlib  # noqa: E402
import os  # noqa: E402
import sys  # noqa: E402
from pathlib import Path  # noqa: E402

from absl import flags  # noqa: E402

from lecture_models.commands.flags import COMMANDS, command_flags  # noqa: E402
from lecture_models.commands.invocation import House, Invocation, announce  # noqa: E402
from lecture_models.config import UsageError, parse  # noqa: E402
from lecture_models.training.process_setup import tune_for_cpu  # noqa: E402

# The flag that names a command -> its file in lecture_models/commands/ and the function there,
# which takes the flag's value. Of several flags the first in this order counts.
BY_FLAG = {
    "list": "listing",
    "table": "table",
    "reproduce": "reproduce",
    "compare": "compare",
    "runs": "find_runs",
    "report": "report_index",
    "sweep": "sweep",
    "seeds": "seeds",
    "experiment": "run",
}
HOUSE = House(Path(__file__).resolve().parent)
USAGE = """usage: python launch.py --experiment=NAME [--FIELD=VALUE ...]
       python launch.py --experiment=NAME --help   every field, with type, default and reason
       python launch.py --table=NAME [--output=FILE.md|.html|.csv|.json] [--runs_dir=DIR]
       python launch.py --table=NAME --run         makes the runs that it wants; --table=list
       python launch.py --experiment=NAME --seeds=5  once per seed: mean, spread and n
       python launch.py --experiment=NAME --sweep=FILE.yaml [--num_trials=N] [--workers=N]
       python launch.py --reproduce=RUN_FOLDER     runs it again, prints every metric's difference
       python launch.py --compare=RUN,RUN[,RUN]    what differs between past runs
       python launch.py --runs='METRIC<VALUE'      finds past runs
       python launch.py --report=runs/             one page over all runs: runs/index.html
       python launch.py --list                     experiments and tables
"""


def main(argv: list[str]) -> int:
    """Returns the exit code: 0 done, 1 failed, 2 a wrong command line, 128 + n for signal n."""
    tune_for_cpu()
    try:
        return _dispatch(Invocation(HOUSE, argv[0], argv[1:], PROCESS_BEGAN))
    except UsageError as error:
        return _fail(error, 2)
    except Exception as error:
        if not _is_for_the_user(error):
            raise
        return _fail(error, 1)
    except KeyboardInterrupt:
        return _fail("interrupted before the first step; nothing was trained", 130)


def _fail(error: object, code: int) -> int:
    announce(f"error: {' '.join(str(error).split())}")
    return code


def _is_for_the_user(error: Exception) -> bool:
    """Whether the message alone says what is wrong; anything else is a bug, with its traceback."""
    if isinstance(error, OSError):
        return error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES)
    from lecture_models.data.dataset import DataError
    from lecture_models.runs.folder import RunFolderError
    from lecture_models.training.processes import ProcessGroupError
    from lecture_models.training.wandb_tracker import TrackingError

    return isinstance(error, DataError | RunFolderError | ProcessGroupError | TrackingError)


def _dispatch(invocation: Invocation) -> int:
    values = command_flags(*COMMANDS)
    try:
        values(invocation.argv, known_only=True)
    except flags.Error as error:
        raise UsageError(str(error)) from error
    for flag, command in BY_FLAG.items():
        given = values[flag].value
        if given is not None and given is not False:
            module = importlib.import_module(f"lecture_models.commands.{command}")
            return getattr(module, command)(invocation, given)
    parse(command_flags(*COMMANDS), invocation.argv)  # An unknown flag is worth more than a usage.
    print(USAGE)
    return 0 if values.help else 2


if __name__ == "__main__":
    sys.path.insert(0, os.fspath(HOUSE.root))
    sys.exit(main(sys.argv))
