"""Pieces of a report's HTML. Whatever comes from a file or a flag passes `text` first."""

import html
import json
import math
from collections.abc import Iterable
from typing import Any


def text(value: Any) -> str:
    return html.escape(str(value), quote=True)


def number(value: float) -> str:
    """Four significant digits; whole numbers in full."""
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else "∞" if value > 0 else "-∞"
    size = abs(value)
    if value == int(value) and size < 1e15:
        return f"{int(value):,}"
    if 1e-3 <= size < 1e6:
        return f"{value:,.{max(0, 3 - math.floor(math.log10(size)))}f}"
    return f"{value:.3e}"


def duration(seconds: float) -> str:
    if not math.isfinite(seconds):
        return ""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


def section(title: str, body: str) -> str:
    return f"<section><h2>{title}</h2>{body}</section>" if body else ""


def band(kind: str, title: str, body: str) -> str:
    return f'<div class="band {kind}"><strong>{title}</strong>{body}</div>' if body else ""


def table(rows: Iterable[tuple[str, Any]]) -> str:
    body = ""
    for name, value in rows:
        shown = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        body += f'<tr><th>{text(name)}</th><td class="mono">{text(shown)}</td></tr>'
    return f'<div class="card"><table><tbody>{body}</tbody></table></div>' if body else ""
