"""Gathers what the evaluations of a run wrote besides images: sounds, scores, tables, texts."""

import csv
from pathlib import Path
from typing import NamedTuple

from lecture_models.plots.png import shown_scale
from lecture_models.reports.embedding import data_uri, gif_size, link
from lecture_models.reports.html import alike
from lecture_models.runs.artifacts import (
    ANIMATIONS,
    ARRAYS,
    DATA_TABLES,
    SCORES,
    SOUNDS,
    ArtifactKind,
)
from lecture_models.runs.recorded_run import RecordedRun

MOST_EMBEDDED = 2_000_000  # Bytes of one file; a larger one is linked.
MOST_BYTES = 6_000_000  # Of all files that are embedded; base64 adds a third.
MOST_LINKS = 12  # To the files of earlier steps.
MOST_ROWS = 200
SHORT_TEXT = 200  # Letters of a text that is shown as a sentence.
WIDEST_LINE = 160  # Letters; longer lines are wrapped.


class FileLink(NamedTuple):
    """Links a file of an earlier step."""

    step: int
    link: str


class LinkedArtifact(NamedTuple):
    """Describes the last file of a name, with links to it and to earlier steps.

    Attributes:
        source: the address for a player: a data URI for a small file, else the link.
        width: width at which an animation is shown; 0 if it is not known. `height` likewise.
        enlarged: whether that is larger than in the file.
    """

    name: str
    step: int
    file: str
    link: str
    caption: str
    earlier: list[FileLink]
    source: str = ""
    width: int = 0
    height: int = 0
    enlarged: bool = False


class ShownTable(NamedTuple):
    """Holds the first rows of a CSV file; `available` is how many it has.

    `numeric` are the indices of the columns that hold numbers.
    """

    about: LinkedArtifact
    columns: list[str]
    rows: list[list[str]]
    numeric: list[int]
    available: int


class ShownText(NamedTuple):
    """Holds a text; `aligned` says that its lines must not be wrapped."""

    name: str
    content: str
    long: bool
    aligned: bool


def scores(run: RecordedRun) -> list[LinkedArtifact]:
    """Returns the last score of each name, for a download."""
    return [artifact for artifact, _ in _last(run, SCORES)]


def arrays(run: RecordedRun) -> list[LinkedArtifact]:
    """Returns the last array of each name, for a download."""
    return [artifact for artifact, _ in _last(run, ARRAYS)]


def sounds(run: RecordedRun) -> list[LinkedArtifact]:
    """Returns the last sound of each name, for a player; small files are embedded."""
    found, room = [], MOST_BYTES
    for artifact, path in _last(run, SOUNDS):
        content = _content(path, room)
        room -= len(content)
        source = data_uri("audio/wav", content) if content else artifact.link
        found.append(artifact._replace(source=source))
    return found


def animations(run: RecordedRun) -> list[LinkedArtifact]:
    """Returns the last animation of each name; small files are embedded."""
    found, room = [], MOST_BYTES
    for artifact, path in _last(run, ANIMATIONS):
        content = _content(path, room)
        room -= len(content)
        size = gif_size(content)
        source = data_uri("image/gif", content) if size else "" if content else artifact.link
        scale = shown_scale(*size) if size else 1
        width, height = (side * scale for side in size or (0, 0))
        found.append(
            artifact._replace(source=source, width=width, height=height, enlarged=scale > 1)
        )
    return found


def data_tables(run: RecordedRun) -> list[ShownTable]:
    """Returns the last table of each name, at most 200 rows of it; damaged files are skipped."""
    tables = []
    for artifact, path in _last(run, DATA_TABLES):
        try:
            with path.open(encoding="utf-8", newline="") as file:
                columns, *rows = [row for row in csv.reader(file) if row]
        except (OSError, ValueError, csv.Error):
            continue
        shown = rows[:MOST_ROWS]
        numeric = [index for index in range(len(columns)) if _format_numbers(shown, index)]
        tables.append(ShownTable(artifact, columns, shown, numeric, len(rows)))
    return tables


def texts(run: RecordedRun) -> list[ShownText]:
    """Returns the last text of each name; empty ones are skipped."""
    return [
        ShownText(
            name,
            content.strip("\n"),
            long="\n" in content.strip() or len(content) > SHORT_TEXT,
            aligned="\n" in content.strip() and _widest(content) <= WIDEST_LINE,
        )
        for name, content in sorted(run.texts.items())
        if content.strip()
    ]


def _widest(text: str) -> int:
    return max(map(len, text.splitlines()))


def _last(run: RecordedRun, kind: ArtifactKind) -> list[tuple[LinkedArtifact, Path]]:
    found = []
    for name, files in run.artifacts[kind].items():
        *earlier, (step, path) = files
        address = link(path, run.folder)
        links = [FileLink(at, link(file, run.folder)) for at, file in earlier[-MOST_LINKS:]]
        caption = run.captions.get(path.relative_to(run.folder).as_posix(), "")
        found.append((LinkedArtifact(name, step, path.name, address, caption, links), path))
    return found


def _content(path: Path, room: int) -> bytes:
    """Returns the bytes of a file that is small enough to be embedded, else b""."""
    return path.read_bytes() if path.stat().st_size <= min(MOST_EMBEDDED, room) else b""


def _format_numbers(rows: list[list[str]], column: int) -> bool:
    """Shortens the numbers of a column. Returns False for a column that holds other texts."""
    having = [row for row in rows if column < len(row)]
    try:
        values = [float(row[column]) if row[column] else None for row in having]
    except ValueError:
        return False
    for row, text in zip(having, alike(values, absent=""), strict=True):
        row[column] = text
    return bool(having)
