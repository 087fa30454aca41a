"""Shows the notebooks as pages: their texts, and their code in blocks."""

import json
from collections.abc import Iterator

from docs.hooks.links import ROOT

FOLDER = ROOT / "docs" / "notebooks"


def places() -> list[str]:
    """Returns the places of the pages."""
    return [f"notebooks/{path.stem}.md" for path in sorted(FOLDER.glob("*.ipynb"))]


def pages() -> Iterator[tuple[str, str]]:
    """Yields the place and the text of each notebook's page."""
    for path, place in zip(sorted(FOLDER.glob("*.ipynb")), places(), strict=True):
        title, *parts = map(_shown, json.loads(path.read_text("utf-8"))["cells"])
        download = f"[Download this notebook]({path.name})"
        yield place, "\n\n".join([title, download, *parts]) + "\n"


def _shown(cell: dict) -> str:
    text = "".join(cell["source"])
    return text if cell["cell_type"] == "markdown" else f"```python\n{text}\n```"
