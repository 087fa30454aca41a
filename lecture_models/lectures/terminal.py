"""Prints a lecture on a terminal: for each slide, what it shows, its command, and the numbers."""

import collections
import textwrap
from collections.abc import Iterator

from lecture_models.lectures.lecture import Item, Lecture, Number
from lecture_models.lectures.plan import command_of
from lecture_models.lectures.sources import Sources
from lecture_models.lectures.values import errata
from lecture_models.tables.formats import shown, verdict_counts
from lecture_models.tables.table import TableRow, verdict

_LABEL = 11  # Letters of "expected" with the space around it.
_INDENT = 4
_WIDEST = 100


def listed(lectures: list[Lecture], program: str, width: int) -> str:
    """Returns a few lines about each lecture, and the commands that go on."""
    lines: list[str] = []
    for lecture in lectures:
        kinds = collections.Counter(_kind(item) for item in lecture.items)
        counts = f"{len(lecture.slides)} headings: " + ", ".join(
            _counted(count, kind) for kind, count in sorted(kinds.items())
        )
        lines += [
            *textwrap.wrap(f"{lecture.number}: {lecture.title} ({lecture.by})", _narrow(width)),
            *_entry("about", lecture.about, width),
            *_entry("holds", counts, width),
            "",
        ]
    lines += [
        f"python {program} --lecture=004              the slides, with our numbers",
        f"python {program} --lecture=004 --run=smoke  runs all in minutes, writes a page",
    ]
    return "\n".join(lines) + "\n"


def shown_lecture(lecture: Lecture, sources: Sources, width: int) -> str:
    """Returns the slides of a lecture in order, for a terminal of so many columns."""
    lines = [*textwrap.wrap(f"{lecture.number}: {lecture.title}", _narrow(width)), lecture.by, ""]
    for number, slide in enumerate(lecture.slides, start=1):
        times = f" ({slide.count} slides)" if slide.count > 1 else ""
        heading = slide.heading if slide.titled else f"[{slide.heading}]"
        lines += textwrap.wrap(
            f"{number}. {heading}{times}", _narrow(width), subsequent_indent=" " * _INDENT
        )
        for item in slide.items:
            lines += _item(item, sources, width)
            lines.append("")
    return "\n".join(lines)


def _item(item: Item, sources: Sources, width: int) -> Iterator[str]:
    yield from _entry("shows", item.shows, width)
    if item.why_not:
        yield from _entry("not run", item.why_not, width)
    else:
        yield from _entry("command", command_of(item, sources.program), width)
    if item.expected:
        yield from _entry("expected", item.expected, width)
    for number in item.numbers:
        yield from _entry("number", _sentence(number, sources.values.row(number)), width)
    if item.table and not item.slow:
        counts = verdict_counts(sources.values.table(item.table))
        yield from _entry("table", counts, width)
    for picture in item.pictures:
        yield from _entry("picture", f"results/{picture}", width)
    for text in item.texts:
        kept = f"{text.what}: {text.name} of results/runs/{text.records}_0"
        yield from _entry("text", kept, width)
    if item.page:
        yield from _entry("page", f"results/{item.page}.md", width)
    for erratum in errata(sources.errata_file, item.errata):
        yield from _entry("erratum", erratum, width)


def _sentence(number: Number, row: TableRow) -> str:
    printed = "no published value" if row.published is None else published_text(row)
    ours = "-" if row.ours is None else shown(row.ours, row.decimals)
    judged = verdict(row) + (f" ({number.gap})" if number.gap else "")
    return f"{row.label}: {printed}; ours {ours}; {judged}"


def published_text(row: TableRow) -> str:
    """Returns the published value of a row with its spread and its source; "" if there is none."""
    if row.published is None:
        return ""
    spread = f" ± {row.published.spread:g}" if row.published.spread else ""
    return f"{row.published.printed}{spread} ({row.published.source})"


def _kind(item: Item) -> str:
    if item.why_not:
        return "not run"
    return "table" if item.run.startswith("--table=") else "experiment"


def _counted(count: int, kind: str) -> str:
    return f"{count} {kind}{'s' if count > 1 and kind != 'not run' else ''}"


def _entry(label: str, text: str, width: int) -> list[str]:
    indent = " " * (_INDENT + _LABEL)
    return textwrap.wrap(
        text,
        _narrow(width),
        initial_indent=f"{' ' * _INDENT}{label:{_LABEL}}",
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _narrow(width: int) -> int:
    return max(40, min(width, _WIDEST))
