"""One page that shows a run: it opens from disk, years later, with no network."""

from pathlib import Path

from lecture_models import files
from lecture_models.reports import run_origin, run_pictures, run_sections
from lecture_models.reports.html import text
from lecture_models.reports.page import whole_page
from lecture_models.runs.reader import read_run


def write_report(folder: Path) -> Path:
    """Writes `report.html` from whatever the folder holds, and returns its path.

    A run that was killed early has a report too: what is missing is left out, and said.
    """
    run = read_run(folder)
    body = (
        run_sections.header(run)
        + run_sections.bands(run)
        + run_sections.facts(run)
        + run_sections.metrics(run)
        + run_sections.curves(run)
        + run_pictures.samples(run)
        + '<div class="columns">'
        + run_origin.settings(run)
        + run_origin.environment(run)
        + "</div>"
        + run_origin.data(run)
        + run_origin.texts(run)
        + f"<footer>{text(folder.name)} · made by lecture-models</footer>"
    )
    page = whole_page(run_sections.title(run), body)
    path = folder / "report.html"
    files.write_bytes(path, page.encode())
    return path
