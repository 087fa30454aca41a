"""What a person sees while it trains: a bar on a terminal, a line now and then elsewhere."""

import sys
import time
from collections.abc import Callable
from io import TextIOBase
from typing import NamedTuple

PLAIN_INTERVAL_S = 10.0


class Progress(NamedTuple):
    """`update(step, metrics)` at log points, `announce(line)` for a line that stays."""

    update: Callable[[int, dict[str, float]], None]
    announce: Callable[[str], None]
    close: Callable[[], None]


def open_progress(num_steps: int, stream: TextIOBase | None = None) -> Progress:
    stream = sys.stderr if stream is None else stream
    return _bar(num_steps, stream) if stream.isatty() else _plain(num_steps, stream)


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
    task = bar.add_task("", total=num_steps, metrics="")
    bar.start()
    return Progress(
        update=lambda step, metrics: bar.update(task, completed=step, metrics=_short(metrics)),
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
        announce(f"step {step}/{num_steps}, {left:.0f} s left: {_short(metrics)}")

    def announce(line: str) -> None:
        print(line, file=stream, flush=True)

    return Progress(update=update, announce=announce, close=lambda: None)


def _short(metrics: dict[str, float]) -> str:
    return " ".join(f"{name} {value:.4g}" for name, value in metrics.items())
