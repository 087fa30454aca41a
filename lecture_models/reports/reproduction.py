"""A repetition of a run as it is printed: every metric, then the verdict in a line."""

from typing import Any

from lecture_models.reports.markdown import markdown_columns
from lecture_models.runs.difference import Difference, Reproduction


def shown(result: Reproduction) -> str:
    # The evaluation is what the paper reports: it comes first.
    metrics = sorted(
        result.metrics, key=lambda each: (not each.name.startswith("eval/"), each.name)
    )
    rows = [(each.name, *map(_digits, each.values), _gap(each)) for each in metrics]
    table = markdown_columns(("metric", "recorded", "now", "difference"), rows) if rows else ""
    lines = [f"text {name} differs" for name in result.texts]
    if result.state is not None:
        lines.append(f"SHA-256 of the last state: {'equal' if result.state else 'another'}")
    if result.first_step is not None:
        lines.append(f"the first difference is at step {result.first_step}")
    return "\n".join([*([table] if table else []), *lines, verdict(result)]) + "\n"


def verdict(result: Reproduction) -> str:
    count, compared = len(result.different), f"{len(result.metrics)} metrics"
    if result.num_texts:
        compared += f", {result.num_texts} texts"
    if result.equal and result.tolerance == 0:
        return f"equal to the last digit: {compared}"
    if result.equal:
        return f"equal within {result.tolerance:g}: {compared}{_largest(result)}"
    if not count and not result.texts:
        return f"the last values are equal ({compared}), the state or the way there is not"
    texts = f" and {len(result.texts)} of {result.num_texts} texts" if result.texts else ""
    return f"{count} of {len(result.metrics)} metrics{texts} differ{_largest(result)}"


def _largest(result: Reproduction) -> str:
    worst = max(result.metrics, key=lambda each: each.relative, default=None)
    if worst is None or worst.relative == 0:
        return ""
    if worst.gap is None:
        return f"; {worst.name} is in one of the two alone"
    return f"; the largest difference is {worst.gap:+.3g} ({worst.relative:.2g} of {worst.name})"


def _gap(each: Difference) -> str:
    if each.gap is None:
        return "-"
    return f"{each.gap:+.3g}" if each.gap else "0"


def _digits(value: Any) -> str:
    """Every digit that there is."""
    return "-" if value is None else repr(value)
