"""Starts several worker processes of one sweep on this machine, and restarts those that are killed.

The workers end with their parent.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from lecture_models.training.interrupt import stop_signal_of

POLL_S = 0.5
SHUTDOWN_S = 60.0  # All workers together may take this long to save checkpoints after a signal.


def run_workers(
    command: list[str],
    count: int,
    logs: Path,
    max_restarts: int,
    on_poll: Callable[[], None],
    announce: Callable[[str], None],
    environment: dict[str, str] | None = None,
) -> int:
    """Starts `count` processes of a command and waits until all have ended.

    Args:
        command: command line of a worker.
        count: number of workers.
        logs: folder in which worker N writes its output to N.log.
        max_restarts: how many workers may be restarted after a signal killed them.
        on_poll: called at intervals.
        announce: prints one line for the user.
        environment: variables that the workers have in addition to those of this process.

    Returns:
        The first exit code that is not 0, else 0.

    Raises:
        KeyboardInterrupt: as it comes, after the workers have saved and ended.
    """
    logs.mkdir(parents=True, exist_ok=True)

    def start(number: int) -> subprocess.Popen:
        return _start(command, logs / f"{number}.log", environment or {})

    workers = {number: start(number) for number in range(count)}
    codes: dict[int, int] = {}
    try:
        while workers:
            time.sleep(POLL_S)
            on_poll()
            for number, worker in list(workers.items()):
                code = worker.poll()
                if code is None:
                    continue
                worker.stdin.close()
                if code < 0 and max_restarts > 0:
                    max_restarts -= 1
                    announce(f"worker {number} was killed by signal {-code}; it is restarted")
                    workers[number] = start(number)
                    continue
                codes[number] = code
                del workers[number]
                if code:
                    announce(f"worker {number} ended with code {code}: see {logs}/{number}.log")
    except BaseException as stop:
        is_request = isinstance(stop, KeyboardInterrupt)
        number = stop_signal_of(stop) if is_request else signal.SIGTERM
        _stop(list(workers.values()), number)
        raise
    return next((code for code in codes.values() if code), 0)


def _start(command: list[str], log: Path, environment: dict[str, str]) -> subprocess.Popen:
    """Starts a worker in its own session: Ctrl-C reaches only the parent, which passes it on."""
    with log.open("ab") as output:
        return subprocess.Popen(
            command,
            stdin=subprocess.PIPE,  # When it closes, the worker knows that its parent has ended.
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env=os.environ | environment,
        )


def _stop(workers: list[subprocess.Popen], signal_number: int) -> None:
    for worker in workers:
        if worker.poll() is None:
            worker.send_signal(signal_number)
    end = time.monotonic() + SHUTDOWN_S
    for worker in workers:
        try:
            worker.wait(max(0.0, end - time.monotonic()))
        except subprocess.TimeoutExpired:
            worker.kill()
            worker.wait()
        worker.stdin.close()


def end_with_parent() -> None:
    """Makes this worker stop, as a signal would, when its parent has ended."""

    def wait() -> None:
        while os.read(sys.stdin.fileno(), 1):
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, daemon=True).start()
