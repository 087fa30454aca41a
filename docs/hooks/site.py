"""Adds the generated pages to the documentation site; mkdocs calls these functions.

Hooks of mkdocs are used rather than files that are written to docs/, so that nothing generated
can be committed by mistake or become stale. They lie beside the pages and not in the package,
since only the site needs them.
"""

import functools
import sys
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import experiments  # noqa: E402, F401 - mkdocs takes the root from sys.path again.
import launch  # noqa: E402
from docs.hooks import (  # noqa: E402
    api_pages,
    experiment_pages,
    gallery,
    notebook_pages,
    table_pages,
)
from docs.hooks.links import TOP_LEVEL, site_place, translate  # noqa: E402
from lecture_models.commands import discovery  # noqa: E402

FOLDER, TABLES = launch.CHECKOUT.experiments, launch.CHECKOUT.tables
SHOWN = (".png", ".jpg", ".gif", ".mp3", ".wav")


@functools.cache
def names() -> frozenset[str]:
    """Returns the names of all experiments."""
    return frozenset(discovery.names(FOLDER))


@functools.cache
def topics() -> dict[str, list[str]]:
    """Returns the experiments by topic."""
    readme = (ROOT / "README.md").read_text("utf-8")
    return experiment_pages.topics_of(readme, discovery.names(FOLDER))


def on_config(config: Any) -> Any:
    """Fills the generated parts of the navigation in."""
    listed = [
        "experiments/index.md",
        *({topic: [f"experiments/{n}.md" for n in group]} for topic, group in topics().items()),
    ]
    others = [f"results/{name}" for name in _other_results()]
    parts = {
        "{experiments}": listed,
        "{tables}": ["tables.md", *others, *table_pages.places(TABLES)],
        "{notebooks}": ["notebooks.md", *notebook_pages.places()],
        "{api}": ["api/index.md", *(f"api/{room}.md" for room in api_pages.ROOMS)],
    }
    unlisted = sorted(
        path.name
        for path in (ROOT / "docs").glob("*.md")
        if path.name not in _named([config.nav, parts["{notebooks}"], parts["{tables}"]])
    )
    config.nav = _filled(config.nav, parts)
    if unlisted:  # A page that somebody added without naming it in mkdocs.yml.
        config.nav.append({"More": unlisted})
    return config


def _named(entry: Any) -> set[str]:
    """Returns all texts in a part of the navigation."""
    if isinstance(entry, list):
        return set().union(*map(_named, entry))
    if isinstance(entry, dict):
        return _named(list(entry.values()))
    return {entry}


def _filled(entry: Any, parts: dict[str, Any]) -> Any:
    """Returns a part of the navigation with the generated lists in place of their marks."""
    if isinstance(entry, list):
        return [_filled(member, parts) for member in entry]
    if isinstance(entry, dict):
        return {title: _filled(member, parts) for title, member in entry.items()}
    return parts.get(entry, entry)


def on_files(files: Files, config: Any) -> Files:
    """Adds the generated pages, and the pictures and sounds of the results."""

    def add(place: str, text: str) -> None:
        files.append(File.generated(config, place, content=text))

    for path in sorted((ROOT / "results").iterdir()):
        if path.suffix in SHOWN:
            place = f"results/{path.name}"
            files.append(File.generated(config, place, abs_src_path=str(path)))
    for name in sorted(names()):
        add(f"experiments/{name}.md", experiment_pages.page(FOLDER, name, names()))
    add("experiments/index.md", experiment_pages.index(FOLDER, topics()))
    for name in _other_results():
        source = f"results/{name}"
        add(source, translate((ROOT / source).read_text("utf-8"), source, source, names()))
    for place, text in table_pages.pages(TABLES):
        add(place, text)
    for place, text in (*api_pages.pages(), *notebook_pages.pages()):
        add(place, text)
    for source, place in TOP_LEVEL.items():
        if place != "index.md" and (ROOT / source).is_file():
            add(place, translate((ROOT / source).read_text("utf-8"), source, place, names()))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Files) -> str:
    """Translates the links of the pages in docs/, and fills the front page."""
    if page.file.generated_by:
        return markdown
    place = page.file.src_uri
    if place == "index.md":
        return gallery.fill(markdown, names())
    return translate(markdown, f"docs/{place}", place, names())


def _other_results() -> list[str]:
    """Returns the results pages that belong to no experiment."""
    pages = sorted((ROOT / "results").glob("*.md"))
    return [
        path.name for path in pages if site_place(f"results/{path.name}", names()).startswith("res")
    ]
