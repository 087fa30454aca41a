"""Describes a preset `paper` as a table: each value, where the paper states it, and the departures.

An experiment's page in `results/` holds the table, and a test compares it with the code. The
experiment states two things beside its `PAPER`:

- `PAPER_SOURCES`: for each field that the paper determines, where the paper states its value;
- `PAPER_DEPARTURES`: pairs (what the paper does, what the preset does), () if there are none.
"""

from types import ModuleType
from typing import Any

from lecture_models.config import as_typed
from lecture_models.tables.trained_cells import IGNORED_FIELDS

UNCHECKED = (
    "Section numbers come from reimplementations and other secondary sources; they were not "
    "compared with the paper's text."
)
BEGIN, END = "<!-- preset paper: begin -->", "<!-- preset paper: end -->"


def markdown(module: ModuleType) -> str:
    """Returns the table of an experiment's preset `paper`, between two comments that mark it.

    Fields that change no number of the result (the seed, how often the run logs) are left out, and
    so are fields at their default that the paper says nothing about.
    """
    config = module.Config(**module.PAPER)
    lines = [BEGIN, "| field of `--preset=paper` | value | stated in |", "| --- | --- | --- |"]
    for field, value in vars(config).items():
        source = module.PAPER_SOURCES.get(field)
        if field in IGNORED_FIELDS or (source is None and field not in module.PAPER):
            continue
        lines.append(f"| `{field}` | {_shown(value)} | {source or 'not stated: chosen here'} |")
    lines += ["", UNCHECKED, ""]
    if module.PAPER_DEPARTURES:
        lines += ["| the paper | `--preset=paper` |", "| --- | --- |"]
        lines += [f"| {paper} | {here} |" for paper, here in module.PAPER_DEPARTURES]
    else:
        lines.append("No departure from what the paper states is known.")
    return "\n".join([*lines, END])


def unknown_fields(module: ModuleType) -> set[str]:
    """Returns the fields that `PAPER_SOURCES` names and the Config does not have."""
    return set(module.PAPER_SOURCES) - set(vars(module.Config()))


def _shown(value: Any) -> str:
    return f"`{as_typed(value)}`" if value not in ((), "") else "empty"
