"""What a person sees while it trains: a bar on a terminal, a line now and then elsewhere."""

import sys
import time
from collections.abc import Callable
from io import TextIOBase
from typing import NamedTuple

PLAIN_INTERVAL_S = 10.0
LONG_RUN_S = 600.0


class Progress(NamedTuple):
    """`update(step, metrics)` at log points, `announce(line)` for a line that stays."""

    update: Callable[[int, dict[str, float]], None]
    announce: Callable[[str], None]
    close: Callable[[], None]


def open_progress(num_steps: int, stream: TextIOBase | None = None) -> Progress:
    """For a terminal or not; a run of more than ten minutes says so at its second log point."""
    stream = sys.stderr if stream is None else stream
    progress = _bar(num_steps, stream) if stream.isatty() else _plain(num_steps, stream)
    first: tuple[int, float] | None = None
    told = False

    def update(step: int, metrics: dict[str, float]) -> None:
        nonlocal first, told
        now = time.monotonic()
        if first is None:
            first = (step, now)
        elif not told:
            told = True
            left = (now - first[1]) / (step - first[0]) * (num_steps - step)
            if left > LONG_RUN_S:
                progress.announce(f"this will take about {duration(left)}; Ctrl-C saves it")
        progress.update(step, metrics)

    return progress._replace(update=update)


def duration(seconds: float) -> str:
    """As a person says it: "40 s", "12 min", "3 h 05 min"."""
    minutes = round(seconds / 60.0)
    if seconds < 60.0:
        return f"{seconds:.0f} s"
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"


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
        # Ten refreshes a second would take time from two cores.
        refresh_per_second=2,
    )
    bar.start()

    def update(step: int, metrics: dict[str, float]) -> None:
        if not bar.tasks:  # From where a resumed run begins, or its speed would be a miracle.
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
        left = (now - first[1]) / max(step - first[0], 1) * (num_steps - step)
        announce(f"step {step}/{num_steps}, {duration(left)} left: {_short(metrics)}")

    def announce(line: str) -> None:
        print(line, file=stream, flush=True)

    return Progress(update=update, announce=announce, close=lambda: None)


def _short(metrics: dict[str, float]) -> str:
    return " ".join(f"{name} {value:.4g}" for name, value in metrics.items())
