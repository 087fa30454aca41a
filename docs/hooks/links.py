"""Translates the places of files in the repository into places in the documentation site.

Pages are written so that their links work where one reads the repository; the site has another
layout: the page of an experiment holds its results, and pictures lie beside them.
"""

import os
import re
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).resolve().parents[2]
# Pages of the top level -> their places in the site.
TOP_LEVEL = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
}
_LINK = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\[\]]*\])*)\]\(([^)#\s]*)(#[^)\s]*)?\)")


def site_place(path: str, experiments: frozenset[str]) -> str | None:
    """Returns the place in the site of a file of the repository; None if the site has no such page.

    Args:
        path: the file, from the root of the repository, such as `results/gan_mnist.md`.
        experiments: the names of the experiments.
    """
    place = PurePosixPath(path)
    if path in TOP_LEVEL:
        return TOP_LEVEL[path]
    if place.parts[:1] == ("docs",):
        page = place.with_suffix(".md") if place.suffix == ".ipynb" else place
        return str(page.relative_to("docs"))
    if place.parts[:1] == ("results",) and place.parts[1:2] != ("runs",) and place.suffix:
        is_page = len(place.parts) == 2 and place.suffix == ".md"
        return f"experiments/{place.name}" if is_page and place.stem in experiments else path
    if place.parts[:1] == ("experiments",) and place.suffix == ".py":
        page = place.with_suffix(".md")
        is_known = len(place.parts) == 2 and place.stem in experiments
        return str(page) if is_known else None
    return None


def translate(text: str, source: str, page: str, experiments: frozenset[str]) -> str:
    """Returns a page with links that lead from its place in the site.

    A link to a file that the site does not have, such as source code, becomes its text.

    Args:
        text: Markdown.
        source: the file of the repository from which its links lead.
        page: the place of the page in the site.
        experiments: the names of the experiments.
    """

    def translated(match: re.Match) -> str:
        mark, label, target, anchor = match[1], match[2], match[3], match[4] or ""
        if not target or ":" in target:
            return match[0]
        path = os.path.normpath(os.path.join(os.path.dirname(source), target))  # noqa: PTH118, PTH120
        place = site_place(path, experiments)
        if place is None:
            return label
        label = translate(label, source, page, experiments)
        relative = os.path.relpath(place, os.path.dirname(page) or ".")  # noqa: PTH120
        return f"{mark}[{label}]({relative}{anchor})"

    parts = re.split(r"(```.*?```)", text, flags=re.DOTALL)  # Odd parts are blocks of code.
    return "".join(
        part if number % 2 else _LINK.sub(translated, part) for number, part in enumerate(parts)
    )
