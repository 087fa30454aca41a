"""Writes the pages of the API: one for each pure room and for the data, by mkdocstrings."""

import ast
from collections.abc import Iterator

from docs.hooks.links import ROOT

# Room -> what it holds.
ROOMS = {
    "nn": "layers and functions of arrays",
    "models": "networks",
    "losses": "losses: one value per example",
    "steps": "jittable train steps",
    "metrics": "metrics",
    "image_space": "images that are optimized by gradients",
    "attribution": "which pixels decide",
    "linear": "linear algebra, clusters and densities",
    "data": "readers of public data formats",
}


def pages() -> Iterator[tuple[str, str]]:
    """Yields the place and the text of each page of the API."""
    lines = [f"- [`lecture_models.{room}`]({room}.md): {text}" for room, text in ROOMS.items()]
    opening = (
        "# API\n\nThe rooms whose functions take arrays and return arrays, and the readers of "
        "data. They need no flags, so a notebook can use them: see "
        "[how](../notebooks.md). The rooms that run experiments are described in "
        "[the layout](../layout.md).\n\n"
    )
    yield "api/index.md", opening + "\n".join(lines) + "\n"
    for room, text in ROOMS.items():
        parts = [f"# {room}\n\nThis room holds {text}."]
        for path in sorted((ROOT / "lecture_models" / room).rglob("*.py")):
            relative = path.relative_to(ROOT).with_suffix("")
            module = ".".join(relative.parts)
            if path.name != "__init__.py" and has_public_names(path.read_text("utf-8")):
                short = ".".join(relative.parts[2:])
                parts.append(
                    f"## {short}\n\n::: {module}\n    options:\n      show_root_heading: false\n"
                    "      show_root_toc_entry: false"
                )
        yield f"api/{room}.md", "\n\n".join(parts) + "\n"


def has_public_names(source: str) -> bool:
    """Tells whether a module defines a function or a class without an underscore."""
    return any(
        isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_")
        for node in ast.parse(source).body
    )
