"""Several processes of one sweep on this machine: they end with their parent, which renews them."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

POLL_S = 0.5
LEAVE_S = 60.0  # For the checkpoints of all of them, after a signal.


def work_together(
    command: list[str],
    count: int,
    logs: Path,
    renewals: int,
    look: Callable[[], None],
    announce: Callable[[str], None],
) -> int:
    """The first exit code that is not 0, else 0; each writes to `logs/N.log`.

    `look` is called at intervals. One that a signal killed is started anew, `renewals` times.
    Raises KeyboardInterrupt and SystemExit as they come, once the workers have saved and left.
    """
    logs.mkdir(parents=True, exist_ok=True)
    workers = {number: _start(command, logs / f"{number}.log") for number in range(count)}
    codes: dict[int, int] = {}
    try:
        while workers:
            time.sleep(POLL_S)
            look()
            for number, worker in list(workers.items()):
                code = worker.poll()
                if code is None:
                    continue
                worker.stdin.close()
                if code < 0 and renewals > 0:
                    renewals -= 1
                    announce(f"worker {number} was killed by signal {-code}; it is started anew")
                    workers[number] = _start(command, logs / f"{number}.log")
                    continue
                codes[number] = code
                del workers[number]
                if code:
                    announce(f"worker {number} ended with code {code}: see {logs}/{number}.log")
    except BaseException as stop:
        number = signal.SIGTERM if isinstance(stop, SystemExit) else signal.SIGINT
        _stop(list(workers.values()), number)
        raise
    return next((code for code in codes.values() if code), 0)


def _start(command: list[str], log: Path) -> subprocess.Popen:
    """In a session of its own: Ctrl-C reaches the parent alone, who passes it on."""
    with log.open("ab") as output:
        return subprocess.Popen(
            command,
            stdin=subprocess.PIPE,  # Its end tells the worker that the parent is gone.
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def _stop(workers: list[subprocess.Popen], number: int) -> None:
    for worker in workers:
        if worker.poll() is None:
            worker.send_signal(number)
    end = time.monotonic() + LEAVE_S
    for worker in workers:
        try:
            worker.wait(max(0.0, end - time.monotonic()))
        except subprocess.TimeoutExpired:
            worker.kill()
            worker.wait()
        worker.stdin.close()


def end_with_parent() -> None:
    """In a worker: asks itself to stop, as a signal would, when the parent has gone."""

    def wait() -> None:
        while os.read(sys.stdin.fileno(), 1):
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, daemon=True).start()
