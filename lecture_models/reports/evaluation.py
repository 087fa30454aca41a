"""Formats the evaluation of a past run for the terminal."""

from lecture_models.reports.html import exact, signed
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
        (metric.name, *exact(metric.values), signed(metric.gap))
        if has_recorded
        else (metric.name, exact(metric.values)[1])
        for metric in sorted(metrics, key=lambda metric: metric.name)
    ]
    table = [markdown_columns(header, rows)] if rows else []
    return "\n".join([*table, *(f"{name}: {text}" for name, text in texts.items())]) + "\n"
