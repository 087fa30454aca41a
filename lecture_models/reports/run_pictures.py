"""Sample grids over time, embedded: the last one large, some earlier ones small."""

import base64
import struct
import urllib.parse
from collections.abc import Iterable
from pathlib import Path

from lecture_models.plots import png
from lecture_models.reports.html import text
from lecture_models.runs.reader import Run

MOST = 8  # Of each name.
BYTES = 5_500_000  # Of all together; base64 adds a third.
SIGNATURE = b"\x89PNG\r\n\x1a\n"
GIF_SIGNATURE = b"GIF89a"

Files = list[tuple[int, Path]]


def samples(run: Run) -> str:
    """Every name at up to eight steps, fewer where the files are so large that the page would be.

    The last step of each name is always there. The way as a GIF is embedded where there is room
    for it, and linked in any case.
    """
    chosen = {name: evenly(files, MOST) for name, files in run.pictures.items()}
    for most in (5, 3, 2, 1):
        if _size(path for files in chosen.values() for _, path in files) <= BYTES:
            break
        chosen = {name: evenly(files, most) for name, files in run.pictures.items()}
    room = BYTES - _size(path for files in chosen.values() for _, path in files)
    cards = []
    for name, files in chosen.items():
        gif = run.folder / "images" / f"{name}.gif"
        size = gif.stat().st_size if gif.is_file() else 0
        way = _gif(name, gif, embedded=size <= room) if size else ""
        room -= size if size <= room else 0
        cards.append(_card(name, files, len(run.pictures[name]), way))
    return f"<section><h2>Pictures</h2>{''.join(cards)}</section>" if any(cards) else ""


def evenly(files: Files, most: int) -> Files:
    """At most `most` of them, the first and the last among them; the last alone for one."""
    if len(files) <= most:
        return files
    if most == 1:
        return files[-1:]
    return [files[round(index * (len(files) - 1) / (most - 1))] for index in range(most)]


def _size(paths: Iterable[Path]) -> int:
    return sum(path.stat().st_size for path in paths)


def _card(name: str, files: Files, available: int, way: str) -> str:
    figures = [figure for step, path in files if (figure := _figure(name, step, path))]
    if not figures:
        return ""
    *earlier, last = figures
    pair = f'<div class="pair">{last}<div class="earlier">{"".join(earlier)}</div></div>'
    note = f" · {len(figures)} of {available:,} shown" if len(figures) < available else ""
    return (
        f'<div class="card pictures"><h3>{text(name)}{note}</h3>'
        f"{pair if earlier else last}{way}</div>"
    )


def _gif(name: str, path: Path, embedded: bool) -> str:
    link = f'<a href="images/{text(urllib.parse.quote(path.name))}">{text(path.name)}</a>'
    words = f"<figcaption>the way there · {link}</figcaption>"
    content = path.read_bytes() if embedded else b""
    if not content.startswith(GIF_SIGNATURE) or len(content) < 10:
        return f'<figure class="way">{words}</figure>'
    width, height = struct.unpack("<HH", content[6:10])
    return (
        f'<figure class="way"><img src="data:image/gif;base64,'
        f'{base64.b64encode(content).decode()}" width="{width}" height="{height}" '
        f'alt="{text(name)}, step by step">{words}</figure>'
    )


def _figure(name: str, step: int, path: Path) -> str:
    content = path.read_bytes()
    if not content.startswith(SIGNATURE) or len(content) < 24:
        return ""
    width, height = struct.unpack(">II", content[16:24])
    try:
        caption = png.read_metadata(path).get("Caption", "")
    except (OSError, SyntaxError, ValueError):  # What Pillow raises for a file cut short.
        return ""
    words = f"step {step:,}" + (
        f'<span class="caption"> · {text(caption)}</span>' if caption else ""
    )
    return (
        f'<figure><img src="data:image/png;base64,{base64.b64encode(content).decode()}" '
        f'width="{width}" height="{height}" alt="{text(name)}, step {step:,}">'
        f"<figcaption>{words}</figcaption></figure>"
    )
