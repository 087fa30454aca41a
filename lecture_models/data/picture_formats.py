"""Recognizes kinds of pictures that Pillow cannot read, and reads HEIC by an extra package.

A picture is never silently left out of a folder because of its kind: its file counts as a picture,
and reading it either works or says which kind it is.
"""

import importlib
from pathlib import PurePath

HEIC_FORMAT = "HEIF"  # The name that the extra package registers with Pillow.

_HEIC_SUFFIXES = (".heic", ".heif", ".hif")
_HEIC_BRANDS = (b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1")
_AVIF_BRANDS = (b"avif", b"avis")
_SAVE = "save it as PNG or JPEG"
# Pillow would read the small preview in some of these files in place of the photo.
_RAW_SUFFIXES = (
    *(".3fr", ".arw", ".cr2", ".cr3", ".crw", ".dng", ".erf", ".iiq", ".kdc", ".mef", ".mos"),
    *(".mrw", ".nef", ".nrw", ".orf", ".pef", ".raf", ".raw", ".rw2", ".rwl", ".sr2", ".srf"),
    *(".srw", ".x3f"),
)
_UNREADABLE = {
    **dict.fromkeys(_RAW_SUFFIXES, f"a camera's raw photo; {_SAVE}"),
    **dict.fromkeys((".svg", ".svgz"), f"an SVG drawing; {_SAVE}"),
    **dict.fromkeys((".eps", ".ai"), f"a PostScript drawing; {_SAVE}"),
    ".jxl": f"a JPEG XL picture; {_SAVE}",
    ".xcf": f"a picture of GIMP; {_SAVE}",
    ".psb": f"a large picture of Photoshop; {_SAVE}",
    ".exr": f"an OpenEXR picture; {_SAVE}",
    ".hdr": f"a Radiance HDR picture; {_SAVE}",
}
_BEGINNINGS = {
    b"\xff\x0a": ".jxl",
    b"\x00\x00\x00\x0cJXL ": ".jxl",
    b"gimp xcf": ".xcf",
    b"%!PS": ".eps",
    b"\xc5\xd0\xd3\xc6": ".eps",
    b"8BPS\x00\x02": ".psb",
    b"\x76\x2f\x31\x01": ".exr",
    b"#?RADIANCE": ".hdr",
}


def further_suffixes() -> set[str]:
    """Returns the suffixes of pictures that Pillow alone does not read, in small letters."""
    return {*_HEIC_SUFFIXES, ".avif", *_UNREADABLE}


def is_heic(content: bytes) -> bool:
    """Returns True if the bytes of a file are those of a HEIC picture."""
    return content[4:8] == b"ftyp" and content[8:12] in _HEIC_BRANDS


def register_heic() -> None:
    """Makes Pillow read HEIC.

    Raises:
        ValueError: the extra package is not installed.
    """
    try:
        package = importlib.import_module("pillow_heif")
    except ImportError as error:
        raise ValueError(
            "a HEIC picture; to read it: pip install 'lecture-models[heic]'"
        ) from error
    package.register_heif_opener()


def require_readable_kind(path: PurePath) -> None:
    """Raises ValueError, with the kind in words, for a file whose suffix says it cannot be read."""
    kind = _UNREADABLE.get(path.suffix.lower())
    if kind is not None:
        raise ValueError(kind)


def kind_in_words(content: bytes) -> str:
    """Returns what the bytes of a file that Pillow cannot read are; "not a picture" if unknown."""
    if content[4:8] == b"ftyp" and content[8:12] in _AVIF_BRANDS:
        return f"an AVIF picture, which this Pillow cannot read; {_SAVE}"
    for beginning, suffix in _BEGINNINGS.items():
        if content.startswith(beginning):
            return _UNREADABLE[suffix]
    if b"<svg" in content[:1000]:
        return _UNREADABLE[".svg"]
    return "not a picture"
