"""Embeds files in a page as data URIs, and links those that are too large."""

import base64
import os
import struct
import urllib.parse
from pathlib import Path

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
PNG_END = b"IEND\xaeB`\x82"
GIF_SIGNATURES = (b"GIF87a", b"GIF89a")


def data_uri(media_type: str, content: bytes) -> str:
    """Returns an address that holds the content itself."""
    return f"data:{media_type};base64,{base64.b64encode(content).decode()}"


def link(path: Path, page_folder: Path) -> str:
    """Returns the address of a file below the page's folder, relative to the page."""
    return urllib.parse.quote(os.fsencode(path.relative_to(page_folder).as_posix()))


def png_size(content: bytes) -> tuple[int, int] | None:
    """Returns width and height in pixels; None for a file that is not a complete PNG file."""
    if not content.startswith(PNG_SIGNATURE) or not content.endswith(PNG_END):
        return None
    width, height = struct.unpack(">II", content[16:24])
    return width, height


def gif_size(content: bytes) -> tuple[int, int] | None:
    """Returns width and height in pixels; None for a file that is not a GIF file."""
    if not content.startswith(GIF_SIGNATURES) or len(content) < 10:
        return None
    width, height = struct.unpack("<HH", content[6:10])
    return width, height
