"""One page over all runs below a folder: it opens from disk, with no network."""

import base64
import hashlib
from pathlib import Path
from typing import NamedTuple

from lecture_models.reports.html import band, section, text
from lecture_models.reports.index_curves_script import CURVES_SCRIPT
from lecture_models.reports.index_data import address, curves_json, name_of, runs_json
from lecture_models.reports.index_groups import Group
from lecture_models.reports.index_run import IndexedRun
from lecture_models.reports.index_style import INDEX_STYLE
from lecture_models.reports.index_table_script import TABLE_SCRIPT
from lecture_models.reports.style import STYLE

MARK = '<meta name="generator" content="lecture-models index">'
SCRIPT = f'"use strict";\n(() => {{\n{CURVES_SCRIPT}\n{TABLE_SCRIPT}\n}})();\n'
# This script alone runs, even where an escape were forgotten; pictures come from the disk, or from
# the host that serves the page.
POLICY = (
    "default-src 'none'; img-src 'self' file:; style-src 'unsafe-inline'; base-uri 'none'; "
    "form-action 'none'; script-src 'sha256-"
    + base64.b64encode(hashlib.sha256(SCRIPT.encode()).digest()).decode()
    + "'"
)


class Index(NamedTuple):
    """`pages` are files and their titles; `passed_over` says of each folder why."""

    root: Path
    runs: list[IndexedRun]
    sweeps: list[Group]
    seeds: list[Group]
    pages: list[tuple[Path, str]]
    passed_over: list[str]


def render(index: Index, page: Path) -> bytes:
    """The whole page; links are relative to `page`, the file that it will be."""
    title = f"Runs below {index.root.resolve().name or index.root}"
    body = (
        f'<p class="eyebrow">{text(counts(index))}</p><h1>{text(title)}</h1>'
        + band(
            "note",
            "Passed over",
            f"<p>{text('; '.join(index.passed_over))}</p>" * bool(index.passed_over),
        )
        + (_RUNS if index.runs else "")
        + _groups(index, index.sweeps, page, "Sweeps", ("Method", "Trials", "Best"))
        + _groups(index, index.seeds, page, "Seeds", ("Preset", "Seeds", "Mean ± spread"))
        + _pages(index, page)
        + "<footer>made by lecture-models</footer>"
    )
    html = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">{MARK}'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{text(title)}</title><style>{STYLE}{INDEX_STYLE}</style></head>"
        f"<body><main>{body}</main>\n"
        f'<script type="application/json" id="data">{runs_json(index.runs, index.root, page)}'
        f'</script>\n<script type="application/json" id="points">{curves_json(index.runs)}</script>'
        f"\n<script>{SCRIPT}</script></body></html>\n"
    )
    return html.encode("utf-8", "replace")  # A file's name may be no Unicode.


def counts(index: Index) -> str:
    named = {
        "run": len(index.runs),
        "sweep": len(index.sweeps),
        "group of seeds": len(index.seeds),
        "page": len(index.pages),
    }
    plurals = {"group of seeds": "groups of seeds"}
    return ", ".join(
        f"{count:,} {name if count == 1 else plurals.get(name, name + 's')}"
        for name, count in named.items()
        if count or name == "run"
    )


_RUNS = """
<section id="runs"><h2>Runs</h2>
<form class="controls" role="search">
<label class="wide">Filter <input id="filter" type="search" autocomplete="off" spellcheck="false"
 placeholder="words, all of which must occur"></label>
<label>Experiment <select id="experiment"><option value="">all</option></select></label>
<label>Status <select id="status"><option value="">all</option></select></label>
<details id="columns"><summary>Columns</summary><div class="choices"></div></details>
<button type="button" id="none">Untick all</button>
</form>
<p class="count" id="count" role="status"></p>
<div class="card scroll" role="region" aria-label="Table of runs" tabindex="0">
<table id="table"><thead></thead><tbody></tbody></table></div>
<p><button type="button" id="more" hidden></button></p>
<noscript><p>Table, curves and pictures are drawn by the script in this page; each run's own
report.html needs none.</p></noscript>
</section>
<section id="curves"><h2>Curves of the ticked runs</h2>
<div class="controls">
<label>Metric <select id="metric"></select> over steps</label>
<label class="tick"><input id="log" type="checkbox"> logarithmic</label>
</div>
<div class="chart" id="chart"></div><ul id="legend"></ul>
<p class="hint">Thinned to at most 100 points each; a run's own report has all that was logged.</p>
</section>
<section id="pictures"><h2>Pictures of the ticked runs</h2>
<div class="controls"><label>Picture <select id="picture"></select></label></div>
<div id="grids"></div></section>
"""


def _groups(
    index: Index, groups: list[Group], page: Path, title: str, columns: tuple[str, str, str]
) -> str:
    names = (title, "Experiment", *columns, "Started", "")
    head = "".join(f"<th>{text(name)}</th>" for name in names)
    body = "".join(_group(index, group, page) for group in groups)
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    return section(title, f'<div class="card scroll">{table}</div>' if groups else "")


def _group(index: Index, group: Group, page: Path) -> str:
    name = text(name_of(group.folder, index.root))
    if group.has_report:
        name = f'<a href="{text(address(group.folder / "report.html", page))}">{name}</a>'
    if group.name != group.folder.name:
        name += f'<span class="soft">{text(group.name)}</span>'
    spreads = "".join(f"<div>{text(each)}</div>" for each in group.spreads)
    where = "" if group.folder == index.root else name_of(group.folder, index.root) + "/"
    started = group.started.replace("T", " ")[:16]
    cells = [name, *map(text, (group.experiment, group.kind, group.state))]
    cells += [spreads or text(group.best), text(started)]
    cells += [f'<a class="filter" href="#" data-filter="{text(where)}">its runs</a>']
    return "<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"


def _pages(index: Index, page: Path) -> str:
    items = "".join(
        f'<li><a href="{text(address(path, page))}">{text(name_of(path, index.root))}</a>'
        f'<span class="soft">{text(title)}</span></li>'
        for path, title in index.pages
    )
    return section("Tables", f'<ul class="pages">{items}</ul>' if items else "")
