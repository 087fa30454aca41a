"""Shows the progress of training: a bar on a terminal, a line every ten seconds elsewhere."""

import sys
import time
from collections.abc import Callable
from io import TextIOBase
from typing import NamedTuple

from lecture_models.reports.html import duration

PLAIN_INTERVAL_S = 10.0
LONG_RUN_S = 600.0


class Progress(NamedTuple):
    """Shows how far a run is.

    Attributes:
        update: `update(step, metrics)` is called at log points.
        announce: `announce(line)` prints a line that stays.
        close: ends the display.
    """

    update: Callable[[int, dict[str, float]], None]
    announce: Callable[[str], None]
    close: Callable[[], None]


def open_progress(num_steps: int, stream: TextIOBase | None = None) -> Progress:
    """Opens the display that suits the stream, by default standard error.

    At the second log point it announces the remaining time if that is more than ten minutes.
    """
    stream = sys.stderr if stream is None else stream
    progress = _bar(num_steps, stream) if stream.isatty() else _plain(num_steps, stream)
    first: tuple[int, float] | None = None
    estimated = False

    def update(step: int, metrics: dict[str, float]) -> None:
        nonlocal first, estimated
        now = time.monotonic()
        if first is None:
            first = (step, now)
        elif not estimated:
            estimated = True
            remaining = (now - first[1]) / (step - first[0]) * (num_steps - step)
            if remaining > LONG_RUN_S:
                progress.announce(f"this will take about {duration(remaining)}; Ctrl-C saves it")
        progress.update(step, metrics)

    return progress._replace(update=update)


def _bar(num_steps: int, stream: TextIOBase) -> Progress:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as RichProgress

    bar = RichProgress(
        MofNCompleteColumn(),
        BarColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[metrics]}", markup=False),
        console=Console(file=stream),
        # Rich's ten refreshes per second would cost noticeable time on two cores.
        refresh_per_second=2,
    )
    bar.start()

    def update(step: int, metrics: dict[str, float]) -> None:
        if (
            not bar.tasks
        ):  # The bar starts at the step at which a run resumes, so that its speed is right.
            bar.add_task("", total=num_steps, completed=step, metrics="")
        bar.update(bar.task_ids[0], completed=step, metrics=_short(metrics))

    return Progress(
        update=update,
        announce=lambda line: bar.console.print(line, markup=False, highlight=False),
        close=bar.stop,
    )


def _plain(num_steps: int, stream: TextIOBase) -> Progress:
    first: tuple[int, float] | None = None  # Step and time of the first log point.
    last = time.monotonic()

    def update(step: int, metrics: dict[str, float]) -> None:
        nonlocal first, last
        now = time.monotonic()
        first = first or (step, now)
        if step < num_steps and now - last < PLAIN_INTERVAL_S:
            return
        last = now
        remaining = (now - first[1]) / max(step - first[0], 1) * (num_steps - step)
        announce(f"step {step}/{num_steps}, {duration(remaining)} left: {_short(metrics)}")

    def announce(line: str) -> None:
        print(line, file=stream, flush=True)

    return Progress(update=update, announce=announce, close=lambda: None)


def _short(metrics: dict[str, float]) -> str:
    return " ".join(f"{name} {value:.4g}" for name, value in metrics.items())
