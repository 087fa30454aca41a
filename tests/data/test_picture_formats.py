import sys

import numpy as np
import pytest
from PIL import Image

from lecture_models.data import picture
from lecture_models.data.dataset import DataError
from lecture_models.data.folder import PictureOptions
from lecture_models.data.lookup import Library

SKIPPING = PictureOptions(skip_bad_images=True)


def photo(path, size=(40, 30), color=(200, 60, 20)):
    Image.new("RGB", size, color).save(path)
    return path


def heic(path):
    pillow_heif = pytest.importorskip("pillow_heif")
    file = pillow_heif.from_pillow(Image.new("RGB", (64, 48), (200, 60, 20)))
    file.save(path, quality=95)
    return path


def test_a_heic_photo_is_read_alone_and_from_a_folder(tmp_path):
    path = heic(tmp_path / "photo.HEIC")
    assert picture.find(tmp_path) == [path]
    found = picture.read(path, 32, square=True)
    assert found.size == (64, 48)
    np.testing.assert_allclose(found.pixels.mean((0, 1)), [200, 60, 20], atol=6)


def test_without_the_package_a_heic_photo_is_named_with_the_extra(tmp_path, monkeypatch):
    (tmp_path / "photo.heic").write_bytes(b"\x00\x00\x00\x18ftypheic" + bytes(40))
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    with pytest.raises(DataError, match=r"photo.heic .*HEIC picture; to read it: pip install 'lec"):
        Library(None, print).pictures((str(tmp_path),), 16)


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("a.svg", b"<svg></svg>", "an SVG drawing; save it as PNG or JPEG"),
        ("a.png", b"<?xml?><svg></svg>", "an SVG drawing"),
        ("a.jxl", b"\xff\x0a..........", "a JPEG XL picture"),
        ("a.jpg", b"gimp xcf v011........", "a picture of GIMP"),
        ("a.NEF", b"II*\x00", "a camera's raw photo"),
        ("a.png", b"a text, not a picture", "not a picture"),
    ],
)
def test_a_picture_of_an_unreadable_kind_is_named_and_not_left_out(tmp_path, name, content, kind):
    photo(tmp_path / "photo.png")
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=rf"{name} cannot be read: {kind}.*--skip_bad_images"):
        Library(None, print).pictures((str(tmp_path),), 16)


def test_a_raw_photo_is_not_replaced_by_the_preview_in_it(tmp_path):
    """A raw photo is a TIFF whose first image is small."""
    photo(tmp_path / "a.tif").rename(tmp_path / "a.dng")
    with pytest.raises(DataError, match="a camera's raw photo"):
        Library(None, print).picture(str(tmp_path / "a.dng"))


def test_bad_pictures_are_skipped_by_flag_and_recorded(tmp_path):
    photo(tmp_path / "a.png")
    (tmp_path / "b.svg").write_text("<svg></svg>")
    (tmp_path / "c.jpg").write_bytes(b"")
    lines = []
    library = Library(None, lines.append, SKIPPING)
    found = library.pictures((str(tmp_path),), 16)
    assert [file.path.name for file in found] == ["a.png"]
    assert [line.split(":")[0] for line in lines] == ["skipped", "skipped"]
    assert library.provenance[0].note == "skipped as unreadable: b.svg, c.jpg"


def test_a_folder_of_bad_pictures_alone_is_refused_even_so(tmp_path):
    (tmp_path / "b.svg").write_text("<svg></svg>")
    with pytest.raises(DataError, match="none of 1 pictures can be read: b.svg"):
        Library(None, print, SKIPPING).pictures((str(tmp_path),), 16)


def test_tiny_pictures_and_strips_are_remarked_on(tmp_path):
    photo(tmp_path / "dot.png", (1, 1))
    photo(tmp_path / "strip.png", (400, 30))
    photo(tmp_path / "photo.png")
    lines = []
    library = Library(None, lines.append)
    assert len(library.pictures((str(tmp_path),), 16)) == 3
    assert lines == [
        "enlarged from fewer than 16 pixels of a side: dot.png",
        "more than 5 times as long as wide, of which only the central square is seen: strip.png",
    ]
    assert "dot.png" in library.provenance[0].note
