"""Lays out the gallery: pictures of the results pages with their captions, and sounds of runs."""

import re
from pathlib import Path

import yaml

from docs.hooks.links import ROOT, site_place

PICTURES = "<!-- gallery: pictures -->"
SOUNDS = "<!-- gallery: sounds -->"
_PICTURE = re.compile(r"!\[([^\]]+)\]\(([^)\s]+\.(?:png|jpg|gif))\)")


def captions(folder: Path) -> dict[str, tuple[str, str]]:
    """Returns for each picture of a results page its caption there, and the name of the page."""
    found: dict[str, tuple[str, str]] = {}
    for page in sorted(folder.glob("*.md")):
        for caption, name in _PICTURE.findall(page.read_text("utf-8")):
            found.setdefault(name, (" ".join(caption.split()), page.name))
    return found


def chosen() -> dict:
    """Reads which pictures and sounds the gallery shows."""
    return yaml.safe_load((ROOT / "docs" / "gallery.yaml").read_text("utf-8"))


def fill(text: str, experiments: frozenset[str]) -> str:
    """Returns the front page with the pictures and the sounds in place of the two marks.

    Raises ValueError for a picture that no results page shows.
    """
    known = captions(ROOT / "results")
    pictures = []
    for picture in chosen()["pictures"]:
        name = picture["file"]
        if name not in known:
            raise ValueError(f"docs/gallery.yaml: no page in results/ shows {name}")
        caption, page = known[name]
        caption = picture.get("caption", caption)
        place = site_place(f"results/{page}", experiments)
        shown = f"[![{caption}](results/{name}){{ loading=lazy }}]({place})"
        pictures += _figure(shown, f"[{Path(page).stem}]({place}): {caption}")
    sounds = []
    for sound in chosen()["sounds"]:
        place = site_place(f"results/{sound['page']}", experiments)
        player = f'<audio controls preload="none" src="results/{sound["file"]}"></audio>'
        sounds += _figure(player, f"[{Path(place).stem}]({place}): {sound['caption']}")
    text = text.replace(PICTURES, _grid("gallery", pictures))
    return text.replace(SOUNDS, _grid("sounds", sounds))


def _figure(shown: str, caption: str) -> list[str]:
    return [
        "<figure markdown>",
        shown,
        f"<figcaption markdown>{caption}</figcaption>",
        "</figure>",
    ]


def _grid(name: str, lines: list[str]) -> str:
    return "\n".join([f'<div class="{name}" markdown>', *lines, "</div>"])
