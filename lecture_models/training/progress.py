"""Shows the progress of training: a bar on a terminal, a line every ten seconds elsewhere."""

import os
import sys
import time
from collections.abc import Callable
from typing import NamedTuple, TextIO

from lecture_models.reports.html import duration

PLAIN_INTERVAL_S = 10.0
LONG_RUN_S = 600.0


class Progress(NamedTuple):
    """Shows how far a run is.

    Attributes:
        begin: `begin(step)` is called with the step at which the run starts or resumes.
        update: `update(step, metrics)` is called at log points.
        announce: `announce(line)` prints a line that stays.
        close: ends the display.
    """

    begin: Callable[[int], None]
    update: Callable[[int, dict[str, float]], None]
    announce: Callable[[str], None]
    close: Callable[[], None]


def open_progress(num_steps: int, stream: TextIO | None = None) -> Progress:
    """Opens the display that suits the stream, by default standard error.

    At the second log point it announces the remaining time if that is more than ten minutes.
    """
    stream = sys.stderr if stream is None else stream
    # A terminal such as that of Emacs cannot write over a line.
    has_bar = stream.isatty() and os.environ.get("TERM") not in ("dumb", "unknown")
    progress = _bar(num_steps, stream) if has_bar else _plain(num_steps, stream)
    pace, num_points = _Pace(num_steps), 0

    def update(step: int, metrics: dict[str, float]) -> None:
        nonlocal num_points
        num_points += 1
        remaining = pace.seconds_left(step)
        if num_points == 2 and remaining is not None and remaining > LONG_RUN_S:
            progress.announce(f"this will take about {duration(remaining)}; Ctrl-C saves it")
        progress.update(step, metrics)

    return progress._replace(update=update)


class _Pace:
    """Estimates the time left from the time since the first log point."""

    def __init__(self, num_steps: int):
        self._num_steps = num_steps
        self._first: tuple[int, float] | None = None  # Step and time of the first log point.

    def seconds_left(self, step: int) -> float | None:
        """Returns the time left at a log point; None at the first one, when it is not known."""
        now = time.monotonic()
        if step == self._num_steps:
            return 0.0
        if self._first is None:
            self._first = (step, now)
            return None
        first_step, began = self._first
        return (now - began) / max(step - first_step, 1) * (self._num_steps - step)


def _bar(num_steps: int, stream: TextIO) -> Progress:
    # Imported when used, because Rich takes 0.1 s, which a run in a log file need not wait for.
    from rich.console import Console
    from rich.progress import Progress as RichProgress

    from lecture_models.training.progress_line import ProgressLine

    bar = RichProgress(
        ProgressLine(),
        console=Console(file=stream, force_terminal=True),
        # Rich's ten refreshes per second would cost noticeable time on two cores.
        refresh_per_second=2,
        expand=True,
    )
    bar.start()

    def begin(step: int) -> None:
        # The bar starts at the step at which a run resumes, so that its speed is right.
        if num_steps > 0 and not bar.tasks:
            bar.add_task("", total=num_steps, completed=step, metrics=[])

    def update(step: int, metrics: dict[str, float]) -> None:
        begin(step)
        bar.update(bar.task_ids[0], completed=step, metrics=_texts(metrics))

    def announce(line: str) -> None:
        # Rich would break a long line itself, and a command in it could not be copied whole.
        bar.console.print(line, markup=False, highlight=False, soft_wrap=True)

    return Progress(begin=begin, update=update, announce=announce, close=bar.stop)


def _plain(num_steps: int, stream: TextIO) -> Progress:
    pace, last = _Pace(num_steps), time.monotonic()

    def update(step: int, metrics: dict[str, float]) -> None:
        nonlocal last
        remaining, now = pace.seconds_left(step), time.monotonic()
        if step < num_steps and now - last < PLAIN_INTERVAL_S:
            return
        last = now
        shown = " ".join(_texts(metrics))
        left = "" if remaining is None else f", {duration(remaining)} left"
        announce(f"step {step}/{num_steps}{left}: {shown}")

    def announce(line: str) -> None:
        print(line, file=stream, flush=True)

    return Progress(begin=lambda step: None, update=update, announce=announce, close=lambda: None)


def _texts(metrics: dict[str, float]) -> list[str]:
    """Returns name and value of each metric, losses first: a narrow terminal drops the last."""
    losses_first = sorted(metrics, key=lambda name: (name != "loss", not name.endswith("loss")))
    return [f"{name} {metrics[name]:.4g}" for name in losses_first]
