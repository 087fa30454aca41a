"""The shell of every page that a run, a sweep or several seeds leave: one file, no script."""

from lecture_models.reports.html import text
from lecture_models.reports.style import STYLE

# Nothing is fetched and no script runs, even where an escape were forgotten.
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


def whole_page(title: str, body: str) -> str:
    """The HTML of a page around its `body`, which is HTML already; the title is a text."""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{text(title)}</title><style>{STYLE}</style></head>"
        f"<body><main>{body}</main></body></html>\n"
    )
