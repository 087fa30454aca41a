"""One page that shows a run: it opens from disk, years later, with no network."""

from pathlib import Path

from lecture_models.runtime import atomic, report_origin, report_pictures, report_sections
from lecture_models.runtime.report_html import text
from lecture_models.runtime.report_run import read_run
from lecture_models.runtime.report_style import STYLE

# Nothing is fetched and no script runs, even where an escape were forgotten.
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


def write_report(folder: Path) -> Path:
    """Writes `report.html` from whatever the folder holds, and returns its path.

    A run that was killed early has a report too: what is missing is left out, and said.
    """
    run = read_run(folder)
    body = (
        report_sections.header(run)
        + report_sections.bands(run)
        + report_sections.facts(run)
        + report_sections.metrics(run)
        + report_sections.curves(run)
        + report_pictures.samples(run)
        + '<div class="columns">'
        + report_origin.settings(run)
        + report_origin.environment(run)
        + "</div>"
        + report_origin.data(run)
        + report_origin.texts(run)
        + f"<footer>{text(folder.name)} · made by lecture-models</footer>"
    )
    page = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{text(report_sections.title(run))}</title><style>{STYLE}</style></head>"
        f"<body><main>{body}</main></body></html>\n"
    )
    path = folder / "report.html"
    atomic.write_bytes(path, page.encode())
    return path
