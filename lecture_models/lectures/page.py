"""Writes a lecture as one HTML page: headings, formulas, our pictures and numbers, the paper's."""

import mimetypes
from pathlib import Path
from typing import Any

from lecture_models.lectures import formulas
from lecture_models.lectures.lecture import Item, Lecture, Number, Slide
from lecture_models.lectures.plan import command_of, run_of
from lecture_models.lectures.sources import Sources
from lecture_models.lectures.terminal import published_text
from lecture_models.lectures.values import Values, errata
from lecture_models.reports import run_artifacts
from lecture_models.reports.embedding import data_uri
from lecture_models.reports.html import number as short_number
from lecture_models.reports.index_data import address
from lecture_models.reports.page import write_page
from lecture_models.reports.run_images import image_cards
from lecture_models.runs.reader import REPORT
from lecture_models.runs.recorded_run import RecordedRun, read_run
from lecture_models.tables.formats import body, columns, shown, verdict_counts
from lecture_models.tables.table import verdict

MOST_PICTURES = 2  # Of a run, unless the lecture's file names others.
_SMOKE = "A smoke run takes seconds. Its numbers show that everything works, and nothing else."
_COLORS = {"equal": "good", "within spread": "good", "better": "good", "erratum": "warn"}
_COLORS |= {"short": "bad"}


def write_lecture(lecture: Lecture, sources: Sources, page: Path) -> None:
    """Writes the page completely or not at all."""
    seen: set[Path | str] = set()
    slides = [
        _slide(number, slide, sources, seen, page)
        for number, slide in enumerate(lecture.slides, start=1)
    ]
    write_page(
        page,
        "lecture.html",
        title=f"{lecture.number}: {lecture.title}",
        heading=lecture.title,
        eyebrow=f"lecture {lecture.number} · {lecture.by}",
        about=lecture.about,
        facts=_facts(slides, sources),
        failed=[f"{title}: {reason}" for title, reason in sources.failures.items()],
        slides=slides,
        fresh=f"{sources.preset} run" if sources.preset else "",
        note=_SMOKE if sources.preset == "smoke" else "",
        command=_command(lecture, sources),
        footer=f"made by lecture-models at commit {sources.commit}",
    )


def _command(lecture: Lecture, sources: Sources) -> str:
    run = f" --run={sources.preset}" if sources.preset else " --output=FILE.html"
    return f"python {sources.program} --lecture={lecture.number}{run}"


def _facts(slides: list[dict[str, Any]], sources: Sources) -> dict[str, str]:
    items = [item for slide in slides for item in slide["items"]]
    judged = [row["verdict"] for item in items for row in item["rows"]]
    counts = {name: judged.count(name) for name in dict.fromkeys(judged)}
    facts = {
        "headings": str(len(slides)),
        "with a command": str(sum(bool(item["command"]) for item in items)),
        "not run": str(sum(bool(item["why_not"]) for item in items)),
    }
    if sources.preset:
        states = [item["state"] for item in items if item["state"]]
        facts[f"{sources.preset} runs"] = f"{states.count('finished')} of {len(states)} finished"
    return facts | {name: str(count) for name, count in counts.items()}


def _slide(
    number: int, slide: Slide, sources: Sources, seen: set[Path | str], page: Path
) -> dict[str, Any]:
    return {
        "number": number,
        "heading": slide.heading,
        "titled": slide.titled,
        "count": slide.count,
        "items": [_item(item, sources, seen, page) for item in slide.items],
    }


def _item(item: Item, sources: Sources, seen: set[Path | str], page: Path) -> dict[str, Any]:
    wanted = run_of(item, sources.preset, sources.workdir) if sources.preset else None
    run = read_run(wanted.folder) if wanted and wanted.folder.is_dir() else None
    state = "" if wanted is None else "missing" if run is None else _state(run)
    first = wanted is not None and wanted.folder not in seen
    if wanted is not None:
        seen.add(wanted.folder)
    return {
        "shows": item.shows,
        "formulas": [formulas.svg(formula) for formula in item.formulas],
        "command": command_of(item, sources.program),
        "why_not": item.why_not,
        "expected": item.expected,
        "page": f"results/{item.page}.md" if item.page else "",
        "rows": [_row(number, run, sources.values) for number in item.numbers],
        "table": _table(item, sources, seen),
        "report": _report(wanted.folder, page) if run else "",
        "errata": errata(sources.errata_file, item.errata),
        "kept": [_kept(sources.results / name) for name in item.pictures],
        "texts": [
            {
                "what": text.what,
                "kept": sources.values.text(text),
                "records": f"results/runs/{text.records}_0",
                "fresh": run.texts.get(text.name, "").strip("\n") if run else "",
            }
            for text in item.texts
        ],
        "state": state,
        "failure": sources.failures.get(wanted.title, "") if wanted else "",
        "images": _images(item, run) if run and (first or item.images) else [],
        "films": _films(run) if run and first else [],
        "sounds": _sounds(run) if run and first else [],
    }


def _table(item: Item, sources: Sources, seen: set[Path | str]) -> dict[str, Any] | None:
    """Returns the whole table of an item, where it is not on the page yet."""
    if not item.table or item.slow or item.table in seen:
        return None
    seen.add(item.table)
    table = sources.values.table(item.table)
    places = [columns(table).index(name) for name in ("what", "published", "ours", "verdict")]
    return {
        "title": f"the whole table: {verdict_counts(table)}",
        "columns": [columns(table)[place] for place in places],
        "rows": [[row[place] for place in places] for row in body(table)],
    }


def _report(folder: Path, page: Path) -> str:
    """Returns the address of a run's report, relative to the page; "" if it has none yet."""
    report = folder / REPORT
    return address(report, page) if report.is_file() else ""


def _state(run: RecordedRun) -> str:
    return str(run.summary.get("status", "unknown"))


def _row(number: Number, run: RecordedRun | None, values: Values) -> dict[str, str]:
    row = values.row(number)
    fresh = run.last.get(number.metric) if run and number.metric else None
    judged = verdict(row)
    return {
        "what": row.label,
        "published": "" if row.published is None else published_text(row).partition(" (")[0],
        "source": row.published.source if row.published else "",
        "ours": "" if row.ours is None else shown(row.ours, row.decimals),
        "how": row.how,
        "fresh": "" if not isinstance(fresh, float | int) else short_number(fresh),
        "verdict": judged,
        "color": _COLORS.get(judged, ""),
        "remark": number.gap or row.erratum,
    }


def _kept(path: Path) -> dict[str, str]:
    """Returns a kept picture; without a source where the results are not here."""
    kind = mimetypes.guess_type(path.name)[0] or "image/png"
    source = data_uri(kind, path.read_bytes()) if path.is_file() else ""
    return {"source": source, "caption": f"results/{path.name}"}


def _images(item: Item, run: RecordedRun) -> list[Any]:
    cards = image_cards(run)
    chosen = [card for card in cards if card.name in item.images] if item.images else cards
    return [(card.name, card.last) for card in chosen[: len(item.images) or MOST_PICTURES]]


def _films(run: RecordedRun) -> list[Any]:
    return [film for film in run_artifacts.animations(run) if film.width][:1]


def _sounds(run: RecordedRun) -> list[Any]:
    return [sound for sound in run_artifacts.sounds(run) if sound.source != sound.link][:1]
