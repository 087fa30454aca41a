"""One page that shows a run: it opens from disk, years later, with no network."""

from pathlib import Path

from lecture_models.runtime import atomic, report_origin, report_pictures, report_sections
from lecture_models.runtime.report_html import text
from lecture_models.runtime.report_page import whole_page
from lecture_models.runtime.report_run import read_run


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
    page = whole_page(report_sections.title(run), body)
    path = folder / "report.html"
    atomic.write_bytes(path, page.encode())
    return path
