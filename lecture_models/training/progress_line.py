"""Lays out the line of progress on a terminal of any width."""

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.measure import Measurement
from rich.progress import MofNCompleteColumn, ProgressColumn, Task, TimeRemainingColumn
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

NARROWEST_BAR, WIDEST_BAR = 8, 40
BETWEEN_METRICS = "  "


class ProgressLine(ProgressColumn):
    """Shows the step, a bar, the time left, and as many metrics as then fit.

    Metrics are dropped from the end, then the bar, then the time left; the step stays. The bar
    takes what the metrics leave, and is never widened again unless the terminal is, because metrics
    that change their length would make it flicker.
    """

    def __init__(self):
        super().__init__()
        self._step, self._left = MofNCompleteColumn(), TimeRemainingColumn()
        self._terminal_width, self._bar_width = 0, WIDEST_BAR

    def render(self, task: Task) -> "_Line":
        """Returns the line, whose width is known when it is printed."""
        return _Line(self, task)

    def shown(self, task: Task, width: int) -> Table:
        """Returns the line for a terminal that is `width` characters wide."""
        step, left = self._step(task), self._left(task)
        room = width - step.cell_len - left.cell_len - 2
        metrics = fitting(task.fields["metrics"], room - NARROWEST_BAR - 1)
        bar_width = self._fitted_bar(width, room - (cell_len(metrics) + 1 if metrics else 0))
        parts: list[Text | ProgressBar] = [step]
        if bar_width > 0:
            parts.append(ProgressBar(task.total, task.completed, width=bar_width))
        if room >= 0:
            parts.append(left)
        if metrics:
            parts.append(Text(metrics))
        grid = Table.grid(padding=(0, 1))
        for _ in parts:
            grid.add_column(no_wrap=True, overflow="crop")
        grid.add_row(*parts)
        return grid

    def _fitted_bar(self, width: int, room: int) -> int:
        if width != self._terminal_width:
            self._terminal_width, self._bar_width = width, WIDEST_BAR
        self._bar_width = min(self._bar_width, room)
        return self._bar_width


class _Line:
    def __init__(self, line: ProgressLine, task: Task):
        self._line, self._task = line, task

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        return Measurement(options.max_width, options.max_width)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield self._line.shown(self._task, options.max_width)


def fitting(metrics: list[str], width: int) -> str:
    """Returns the first metrics, as many as fit into `width` characters; "" if none does."""
    shown = ""
    for metric in metrics:
        longer = f"{shown}{BETWEEN_METRICS}{metric}" if shown else metric
        if cell_len(longer) > width:
            break
        shown = longer
    return shown
