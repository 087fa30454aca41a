"""Tests what is said of a folder whose classes, links or copies of pictures are in doubt."""

import shutil

import numpy as np
import pytest
from PIL import Image

from lecture_models.data import folder
from tests.data.small_pictures import SKIPPING, SMALL, everything, read, write_pictures


def warnings_of(path, options=SMALL):
    """Returns the warnings, which the record must hold too."""
    lines = []
    note = folder.read(path, options, lines.append).provenance.note
    found = [line.removeprefix("warning: ") for line in lines if line.startswith("warning: ")]
    assert all(line in note for line in found)
    return found


def resave(path, target, **options):
    """Writes the same pixels in other bytes."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with Image.open(path) as picture:
        picture.save(target, **options)
    assert target.read_bytes() != path.read_bytes()


def test_a_sound_folder_has_no_warning(tmp_path):
    write_pictures(tmp_path / "cat", 40)
    write_pictures(tmp_path / "owl", 40, first=40)
    assert warnings_of(tmp_path) == []


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_the_same_pixels_in_other_bytes_share_a_split(tmp_path, mode):
    write_pictures(tmp_path, 60, mode)
    for path in sorted(tmp_path.glob("*.bmp")):
        resave(path, tmp_path / "again" / f"{path.stem}.png")
    dataset = read(tmp_path)
    parts = [{image.tobytes() for image in split.images} for split in dataset[:3]]
    assert sum(map(len, parts)) == len(set.union(*parts)) == 60
    assert len(everything(dataset)) == 120
    assert "copies of other pictures: 60" in dataset.provenance.note


def test_a_gray_picture_that_is_saved_in_color_is_the_same_picture(tmp_path):
    write_pictures(tmp_path, 20)
    with Image.open(tmp_path / "0003.bmp") as picture:
        picture.convert("RGB").save(tmp_path / "color.png")
    assert "copies of other pictures: 1" in read(tmp_path).provenance.note


def test_a_large_jpeg_and_the_lossless_copy_of_its_pixels_are_the_same_picture(tmp_path):
    """A JPEG of at least 16 times the size of the images is decoded at a fraction of its size."""
    write_pictures(tmp_path, 12)
    pixels = np.random.default_rng(0).integers(0, 256, (9, 9, 3), np.uint8)
    large = Image.fromarray(pixels).resize((200, 160), Image.Resampling.BICUBIC)
    large.save(tmp_path / "photo.jpg", quality=90)
    resave(tmp_path / "photo.jpg", tmp_path / "photo.png")
    large.transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(tmp_path / "other.png")
    dataset = read(tmp_path)
    assert "copies of other pictures: 1" in dataset.provenance.note


def test_pictures_that_differ_in_one_pixel_are_different(tmp_path):
    write_pictures(tmp_path, 12)
    with Image.open(tmp_path / "0000.bmp") as picture:
        other = picture.copy()
    other.putpixel((5, 5), 255 - other.getpixel((5, 5)))
    other.save(tmp_path / "other.png")
    assert "copies" not in read(tmp_path).provenance.note


def test_copies_change_the_digest_only_where_they_move_a_picture(tmp_path):
    """So that a run on a folder with re-encoded copies from before is not resumed on other data."""
    write_pictures(tmp_path, 30)
    (tmp_path / "copy.bmp").write_bytes((tmp_path / "0000.bmp").read_bytes())
    plain = read(tmp_path).provenance.files[0].sha256
    resave(tmp_path / "0000.bmp", tmp_path / "copy.bmp", format="PNG")
    assert read(tmp_path).provenance.files[0].sha256 != plain


def test_one_picture_in_two_classes_is_a_contradiction_whatever_its_bytes(tmp_path):
    write_pictures(tmp_path / "cat", 20)
    write_pictures(tmp_path / "owl", 20, first=20)
    shutil.copy(tmp_path / "cat" / "0001.bmp", tmp_path / "owl" / "bytes.bmp")
    resave(tmp_path / "cat" / "0002.bmp", tmp_path / "owl" / "pixels.png")
    assert warnings_of(tmp_path) == [
        "contradictory labels: 2 pictures in more than one class: cat/0001.bmp = owl/bytes.bmp, "
        "cat/0002.bmp = owl/pixels.png; leave each in one class"
    ]


def test_copies_within_a_class_contradict_nothing(tmp_path):
    write_pictures(tmp_path / "cat", 20)
    write_pictures(tmp_path / "owl", 20, first=20)
    shutil.copy(tmp_path / "cat" / "0001.bmp", tmp_path / "cat" / "copy.bmp")
    assert warnings_of(tmp_path) == []


def test_a_class_without_a_training_picture_is_named(tmp_path):
    write_pictures(tmp_path / "cat", 40)
    # The pictures that the test split got are a class of their own.
    tested = {image.tobytes() for image in read(tmp_path).test.images}
    for path in sorted((tmp_path / "cat").iterdir()):
        with Image.open(path) as picture:
            square = picture.crop((1, 0, 11, 10)).resize((8, 8), Image.Resampling.BICUBIC)
        image = np.asarray(square, np.float32)[..., None] / np.float32(127.5) - 1.0
        if image.tobytes() in tested:
            (tmp_path / "owl").mkdir(exist_ok=True)
            path.rename(tmp_path / "owl" / path.name)
    (warning,) = warnings_of(tmp_path)
    assert warning.startswith(f"no picture for training in owl ({len(tested)} picture")
    assert warning.endswith("so the class cannot be learned; add pictures")


def test_a_link_to_a_class_that_is_read_already_is_named(tmp_path):
    """The folder keeps its name, although the link's name comes first."""
    write_pictures(tmp_path / "cat", 12)
    (tmp_path / "alias").symlink_to(tmp_path / "cat")
    assert read(tmp_path).classes == ("cat",)
    lines = warnings_of(tmp_path)
    assert lines[0] == f"alias is a link to {tmp_path / 'cat'}, which is read already"


def test_a_link_to_a_folder_elsewhere_is_a_class_like_others(tmp_path):
    write_pictures(tmp_path / "pictures" / "cat", 12)
    write_pictures(tmp_path / "elsewhere", 12, first=12)
    (tmp_path / "pictures" / "owl").symlink_to(tmp_path / "elsewhere")
    assert read(tmp_path / "pictures").classes == ("cat", "owl")
    assert warnings_of(tmp_path / "pictures") == []


def test_a_link_that_leads_nowhere_is_named(tmp_path):
    write_pictures(tmp_path / "cat", 12)
    (tmp_path / "owl").symlink_to(tmp_path / "nowhere")
    assert warnings_of(tmp_path) == ["owl is a link that leads nowhere"]


def test_a_class_without_a_picture_is_named(tmp_path):
    write_pictures(tmp_path / "cat", 12)
    (tmp_path / "dog").mkdir()
    (tmp_path / "owl").mkdir()
    (tmp_path / "owl" / "cut.png").write_bytes(b"\x89PNG")
    assert warnings_of(tmp_path, SKIPPING) == [
        "no picture that can be read in the sub-folder dog, owl"
    ]


def test_a_picture_beside_the_classes_is_said_to_make_them_one(tmp_path):
    write_pictures(tmp_path / "cat", 12)
    write_pictures(tmp_path, 1, first=12)
    assert warnings_of(tmp_path) == [
        "1 picture beside the sub-folders (0012.bmp), so the sub-folders are not classes: all "
        "pictures form one class"
    ]
