"""Writes the report of a run: one page that opens from the disk, years later, with no network."""

from pathlib import Path

from lecture_models.reports import run_artifacts, run_images, run_origin, run_sections
from lecture_models.reports.page import write_page
from lecture_models.runs.json_values import as_object
from lecture_models.runs.recorded_run import read_run


def write_report(folder: Path) -> Path:
    """Writes `report.html` from whatever a run's folder holds, and returns its path.

    A run that was killed early gets a report too: sections without content are skipped.
    """
    run = read_run(folder)
    path = folder / "report.html"
    write_page(
        path,
        "run.html",
        title=run_sections.title(run),
        eyebrow=run_sections.eyebrow(run),
        status=run_sections.status(run),
        alarms=run_sections.alarms(run),
        error=str(run.summary.get("error") or ""),
        notes=run_sections.notes(run),
        facts=run_sections.facts(run),
        wandb=run_sections.wandb(run),
        metrics=run_sections.metrics(run),
        curves=run_sections.curves(run),
        images=run_images.image_cards(run),
        animations=run_artifacts.animations(run),
        sounds=run_artifacts.sounds(run),
        scores=run_artifacts.scores(run),
        arrays=run_artifacts.arrays(run),
        data_tables=run_artifacts.data_tables(run),
        config=run_origin.settings(as_object(run.record.get("config"))),
        commands=run_origin.commands(run),
        environment=run_origin.environment(run),
        data_sources=run_origin.data_sources(run),
        texts=run_artifacts.texts(run),
        footer=f"{folder.name} · made by lecture-models",
    )
    return path
