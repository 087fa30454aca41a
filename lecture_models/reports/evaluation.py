"""Formats the evaluation of a past run for the terminal."""

from lecture_models.reports.html import exact
from lecture_models.reports.markdown import markdown_columns
from lecture_models.runs.difference import Difference


def shown(metrics: list[Difference], texts: dict[str, str]) -> str:
    """Returns a table of the metrics, the recorded value beside the present one, and the texts.

    Args:
        metrics: for each metric the recorded and the present value.
        texts: the texts by name.
    """
    has_recorded = any(metric.values[0] is not None for metric in metrics)
    header = ("metric", "recorded", "now", "difference") if has_recorded else ("metric", "now")
    rows = [
        (metric.name, *_texts(metric), _gap(metric))
        if has_recorded
        else (metric.name, _texts(metric)[1])
        for metric in sorted(metrics, key=lambda metric: metric.name)
    ]
    table = [markdown_columns(header, rows)] if rows else []
    return "\n".join([*table, *(f"{name}: {text}" for name, text in texts.items())]) + "\n"


def _texts(metric: Difference) -> list[str]:
    numbers = iter(exact([value for value in metric.values if value is not None]))
    return ["-" if value is None else next(numbers) for value in metric.values]


def _gap(metric: Difference) -> str:
    if metric.gap is None:
        return "-"
    return f"{metric.gap:+.3g}" if metric.gap else "0"
