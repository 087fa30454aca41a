"""Writes one page for each table of a paper: what the table's code builds from the kept runs."""

import re
from collections.abc import Iterator
from pathlib import Path

from docs.hooks.links import ROOT
from lecture_models.commands import discovery, table_output
from lecture_models.tables.formats import markdown
from lecture_models.tables.table import TableContext

WRITTEN = ROOT / "results" / "tables"
# Tables that take longer than all the rest of the site; their pages only name the command.
SLOW = {"resnet_costs", "convolution_arithmetic", "fractalnet_structure", "texture_parameters"}


def places(folder: Path) -> list[str]:
    """Returns the places of the pages."""
    return [f"results/tables/{name}.md" for name in discovery.names(folder)]


def pages(folder: Path) -> Iterator[tuple[str, str]]:
    """Yields the place and the text of each table's page.

    A table of trained cells is shown as it lies in results/tables/; another one is built here.
    """
    for name, place in zip(discovery.names(folder), places(folder), strict=True):
        entry = discovery.table_entry(folder, name)
        command = f"    python launch.py --table={name}"
        text = f"# {name}\n\n{entry.title}\n\nSource: {entry.source}\n\n{command}\n"
        written = WRITTEN / f"{name}.md"
        if written.is_file():
            text += f"\nFrom the runs in `results/runs/`:\n\n{_body(written.read_text('utf-8'))}"
        elif name in SLOW:
            text += "\nThe command computes this table in less than a minute.\n"
        else:
            context = TableContext(ROOT / "results" / "runs", None, None, print)
            text += f"\n{_body(markdown(table_output.build(folder, name, context)))}"
        yield place, text


def _body(table: str) -> str:
    """Returns a table without its title and its source; `[1] [2]` would be a link in Markdown."""
    body = table.partition("\n\n")[2].partition("\n\n")[2]
    return re.sub(r"\] \[(?=\d)", "], [", body)
