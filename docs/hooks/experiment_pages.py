"""Writes the page of an experiment from its docstring, its Config, its presets and its results.

Nothing is stated twice: what `--help` prints comes from the same functions.
"""

import re
from pathlib import Path
from types import ModuleType

from docs.hooks.links import ROOT, translate
from lecture_models.commands import discovery
from lecture_models.commands.config_flags import options, overrides
from lecture_models.config import PRESETS, as_typed

FACTS = ("Paper", "Data", "Cost", "Expected")


def page(folder: Path, name: str, experiments: frozenset[str]) -> str:
    """Returns the page of an experiment in Markdown.

    Args:
        folder: the folder of the experiments.
        name: the experiment.
        experiments: the names of all experiments, for the links.
    """
    module = discovery.load(folder, name)
    parts = [
        f"# {name}\n\n{_docstring(module)}",
        _facts(discovery.entry(folder, name)),
        _config(module),
        f"Source: `experiments/{name}.py`",
        results(name, experiments),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def results(name: str, experiments: frozenset[str]) -> str:
    """Returns the results page of an experiment as a section of its page."""
    path = ROOT / "results" / f"{name}.md"
    if not path.is_file():
        return "## Results\n\nThis experiment has no results page of its own."
    text = path.read_text("utf-8").partition("\n")[2].strip()
    text = translate(text, f"results/{name}.md", f"experiments/{name}.md", experiments)
    return f"## Results\n\n{deeper(text)}"


def deeper(text: str) -> str:
    """Returns a text with each heading one level deeper; a `#` in a block of code is no heading."""
    parts = re.split(r"(```.*?```)", text, flags=re.DOTALL)
    return "".join(
        part if number % 2 else re.sub(r"^(#{1,5} )", r"#\1", part, flags=re.MULTILINE)
        for number, part in enumerate(parts)
    )


def index(folder: Path, topics: dict[str, list[str]]) -> str:
    """Returns a page that lists all experiments by topic, with data and cost."""
    lines = [
        "# Experiments",
        "",
        "Each experiment is one file in `experiments/`. `python launch.py --list` prints them.",
    ]
    for topic, names in topics.items():
        lines += ["", f"## {topic}", "", "| experiment | title | cost |", "| --- | --- | --- |"]
        for name in names:
            entry = discovery.entry(folder, name)
            lines.append(f"| [{name}]({name}.md) | {_cell(entry.title)} | {_cell(entry.cost)} |")
    return "\n".join(lines) + "\n"


def topics_of(readme: str, names: list[str]) -> dict[str, list[str]]:
    """Returns the experiments by the lecture topics of README's table; others are under "More"."""
    topics: dict[str, list[str]] = {}
    topic = ""
    left = list(names)
    for line in readme.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        found = re.findall(r"`(\w+)`", cells[1]) if len(cells) > 2 else []
        found = [name for name in found if name in left]
        if not found:
            continue
        topic = cells[0] or topic
        topics.setdefault(topic, []).extend(found)
        left = [name for name in left if name not in found]
    if left:
        topics["More"] = left
    return topics


def _docstring(module: ModuleType) -> str:
    """Returns the docstring without the facts, which get a table."""
    text = discovery.docstring(module)
    for fact in FACTS:
        text = re.sub(rf"^{fact}: .*(?:\n +\S.*)*\n?", "", text, flags=re.MULTILINE)
    return text.strip()


def _facts(entry: discovery.ExperimentEntry) -> str:
    values = [entry.paper, entry.data, entry.cost, entry.expected]
    rows = [f"| {fact} | {_cell(value)} |" for fact, value in zip(FACTS, values, strict=True)]
    return "\n".join(["| | |", "| --- | --- |", *rows])


def _config(module: ModuleType) -> str:
    """Returns each field with its meaning, its default, and its value in each preset."""
    presets = {
        preset: overrides(module, preset)
        for preset in PRESETS[1:]
        if hasattr(module, preset.upper())
    }
    names = ["field", "meaning", "default", *(f"preset {preset}" for preset in presets)]
    lines = [
        "## Config",
        "",
        "Every field is a flag of the same name. A preset changes the fields that have a value in "
        "its column.",
        "",
        '<div class="config" markdown>',
        "",
        f"| {' | '.join(names)} |",
        "| --- " * len(names) + "|",
    ]
    for option in options(module.Config):
        default = as_typed(option.default)
        changed = [
            f"`{as_typed(changes[option.name])}`" if option.name in changes else ""
            for changes in presets.values()
        ]
        cells = [
            f"`--{option.name}`",
            _cell(option.reason),
            f"`{default}`" if default else f"empty ({option.type_name})",
            *changed,
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join([*lines, "", "</div>"])


def _cell(text: str) -> str:
    """Returns a text for a cell of a table."""
    return text.replace("|", "\\|").replace("<", "&lt;").replace("*", "\\*")
