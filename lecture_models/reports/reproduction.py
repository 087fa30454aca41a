"""Formats the comparison of a run with its repetition: every metric, and a verdict."""

from typing import Any

from lecture_models.reports.html import signed
from lecture_models.reports.markdown import markdown_columns
from lecture_models.runs.difference import Reproduction


def shown(result: Reproduction) -> str:
    """Returns a table of all metrics, what else differs, and the verdict in the last line."""
    # Papers report evaluations, so they come first.
    metrics = sorted(
        result.metrics, key=lambda metric: (not metric.name.startswith("eval/"), metric.name)
    )
    rows = [(metric.name, *map(_digits, metric.values), signed(metric.gap)) for metric in metrics]
    table = markdown_columns(("metric", "recorded", "now", "difference"), rows) if rows else ""
    lines = [f"text {name} differs" for name in result.texts]
    if result.state is not None:
        lines.append(f"SHA-256 of the last state: {'equal' if result.state else 'different'}")
    if result.first_step is not None:
        lines.append(f"the first difference is at step {result.first_step}")
    return "\n".join([*([table] if table else []), *lines, verdict(result)]) + "\n"


def verdict(result: Reproduction) -> str:
    """Returns one line: equal, equal within the tolerance, or what differs and by how much."""
    count, compared = len(result.different), f"{len(result.metrics)} metrics"
    if result.num_texts:
        compared += f", {result.num_texts} texts"
    if result.equal and result.tolerance == 0:
        return f"equal to the last digit: {compared}"
    if result.equal:
        return f"equal within {result.tolerance:g}: {compared}{_largest(result)}"
    if not count and not result.texts:
        return f"the last values are equal ({compared}), but the state or an earlier value is not"
    texts = f" and {len(result.texts)} of {result.num_texts} texts" if result.texts else ""
    return f"{count} of {len(result.metrics)} metrics{texts} differ{_largest(result)}"


def _largest(result: Reproduction) -> str:
    worst = max(result.metrics, key=lambda metric: metric.relative, default=None)
    if worst is None or worst.relative == 0:
        return ""
    if worst.gap is None:
        return f"; {worst.name} is in only one of the runs"
    return f"; the largest difference is {worst.gap:+.3g} ({worst.relative:.2g} of {worst.name})"


def _digits(value: Any) -> str:
    """Returns a value with all of its digits."""
    return "-" if value is None else repr(value)
