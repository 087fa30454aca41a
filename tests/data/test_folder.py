import io
import os
import shutil

import numpy as np
import pytest
from PIL import Image

from lecture_models.data import folder
from lecture_models.data.dataset import DataError
from lecture_models.data.folder import PictureOptions
from tests.data.small_pictures import (
    SKIPPING,
    SMALL,
    alone,
    everything,
    hashes,
    members,
    read,
    write_pictures,
)


def test_pictures_become_square_images_from_minus_one_to_one(tmp_path):
    write_pictures(tmp_path, 40)
    dataset = read(tmp_path, PictureOptions())
    assert everything(dataset).shape == (40, 28, 28, 1)
    assert everything(dataset).dtype == np.float32
    assert np.abs(everything(dataset)).max() <= 1.0
    assert all(len(split.labels) == len(split.images) > 0 for split in dataset[:3])
    assert dataset.classes == ("pictures",)
    assert not any(split.labels.any() for split in dataset[:3])


def test_the_provenance_tells_what_was_made_of_what(tmp_path):
    write_pictures(tmp_path, 40)
    (tmp_path / "notes.txt").write_text("not a picture")
    shutil.copy(tmp_path / "0000.bmp", tmp_path / "copy.BMP")
    lines = []
    provenance = folder.read(tmp_path, SMALL, lines.append).provenance
    assert provenance.dataset == "folder"
    assert provenance.source == "a folder of 41 pictures as 8x8 gray"
    (file,) = provenance.files
    assert file.path == tmp_path
    assert len(file.sha256) == 64
    for part in ("12x10 pixels", "1 other file ignored (1 .txt)", "copies of other pictures: 1"):
        assert part in provenance.note
    assert lines == [
        f"reading 41 pictures in {tmp_path}",
        f"{tmp_path}: {provenance.note}",
    ]


@pytest.mark.parametrize(
    "extension",
    ["png", "jpg", "jpeg", "JPG", "bmp", "gif", "webp", "tif", "tiff", "ppm", "jp2", "tga"],
)
def test_every_usual_format_is_read(tmp_path, extension):
    picture = Image.new("RGB", (20, 16), (200, 100, 50))
    pixels = alone(tmp_path, picture, f"picture.{extension}")
    np.testing.assert_allclose(pixels, np.broadcast_to([200, 100, 50], (8, 8, 3)), atol=4)


def test_pictures_are_found_at_every_depth_and_what_is_hidden_is_not(tmp_path):
    write_pictures(tmp_path / "a" / "b" / "c", 10)
    write_pictures(tmp_path / "a" / ".thumbnails", 3, first=20)
    shutil.copy(tmp_path / "a" / "b" / "c" / "0000.bmp", tmp_path / "a" / "._0000.bmp")
    dataset = read(tmp_path)
    assert len(everything(dataset)) == 10
    assert "1 other file ignored (1 hidden)" in dataset.provenance.note


def test_sub_folders_are_the_classes_where_all_pictures_lie_in_them(tmp_path):
    write_pictures(tmp_path / "owl" / "young", 20)
    write_pictures(tmp_path / "cat", 30, first=20)
    dataset = read(tmp_path)
    assert dataset.classes == ("cat", "owl")
    labels = np.concatenate([split.labels for split in dataset[:3]])
    assert labels.dtype == np.int32
    np.testing.assert_array_equal(np.bincount(labels), [30, 20])
    assert "2 classes, the sub-folders cat, owl" in dataset.provenance.note
    owls = members(tmp_path / "owl")
    for split in dataset[:3]:
        for image, label in zip(split.images, split.labels, strict=True):
            assert (image.tobytes() in owls) == bool(label)


def test_classes_are_mixed_in_every_split(tmp_path):
    write_pictures(tmp_path / "a", 40)
    write_pictures(tmp_path / "b", 40, first=40)
    labels = read(tmp_path).train.labels
    assert 5 < np.count_nonzero(np.diff(labels)) < len(labels) - 5


def test_one_picture_beside_the_sub_folders_makes_one_class_of_all(tmp_path):
    write_pictures(tmp_path / "cat", 10)
    write_pictures(tmp_path, 1, first=20)
    assert read(tmp_path).classes == ("pictures",)


def spoil(path):
    """Writes 12 good pictures, and nine files with names of pictures that cannot be read."""
    write_pictures(path, 12)
    jpeg, png = io.BytesIO(), io.BytesIO()
    Image.effect_noise((64, 64), 50).save(jpeg, "JPEG")
    Image.effect_noise((64, 64), 50).save(png, "PNG")
    (path / "cut.jpg").write_bytes(jpeg.getvalue()[:-500])
    (path / "cut.png").write_bytes(png.getvalue()[:-500])
    (path / "deep.tif").write_bytes(saved(Image.new("F", (8, 8)), "TIFF"))
    (path / "drawing.jpg").write_bytes(saved(Image.new("L", (8, 8)), "EPS"))
    (path / "empty.png").touch()
    (path / "integer.tif").write_bytes(saved(Image.new("I", (8, 8)), "TIFF"))
    (path / "link.png").symlink_to(path / "nowhere.png")
    (path / "page.gif").write_text("<html>404</html>")
    (path / os.fsdecode(b"\xff.bmp")).write_bytes(b"BM")


def saved(picture, file_format):
    buffer = io.BytesIO()
    picture.save(buffer, file_format)
    return buffer.getvalue()


def test_bad_files_are_an_error_that_names_them(tmp_path):
    spoil(tmp_path)
    with pytest.raises(DataError) as caught:
        read(tmp_path)
    message = str(caught.value)
    assert message.startswith(f"9 of 21 pictures in {tmp_path} cannot be read: cut.jpg (")
    assert "drawing.jpg (a PostScript drawing; save it as PNG or JPEG), empty.png" in message
    assert "deep.tif (32 bits per pixel, whose white is not known" in message
    assert message.endswith("--skip_bad_images skips such files")
    assert "0x" not in message
    assert "\n" not in message


def test_bad_files_that_are_skipped_are_listed_and_leave_no_trace_in_the_data(tmp_path):
    spoil(tmp_path / "spoilt")
    write_pictures(tmp_path / "whole", 12)
    lines = []
    spoilt = folder.read(tmp_path / "spoilt", SKIPPING, lines.append)
    whole = read(tmp_path / "whole")
    assert hashes(spoilt) == hashes(whole)
    assert spoilt.provenance.files[0].sha256 == whole.provenance.files[0].sha256
    skipped = [line for line in lines if line.startswith("skipped: ")]
    assert len(skipped) == 9
    assert "skipped: empty.png (empty)" in skipped
    assert "skipped: link.png (No such file or directory)" in skipped
    assert any(line.startswith("skipped: \\udcff.bmp (") for line in skipped)
    assert "skipped as unreadable: 9 files, cut.jpg, cut.png, deep.tif" in spoilt.provenance.note
    assert spoilt.provenance.note.encode()


def test_a_decompression_bomb_is_a_bad_file(tmp_path, monkeypatch):
    write_pictures(tmp_path, 12)
    Image.new("L", (100, 100)).save(tmp_path / "bomb.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 4_999)  # Pillow refuses above twice as many.
    with pytest.raises(
        DataError, match=r"1 of 13 pictures .* bomb.png \(Image size \(10000 pixels"
    ):
        read(tmp_path)


def test_a_large_picture_below_the_bombs_is_read_in_silence(tmp_path, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 5_000)
    assert (alone(tmp_path, Image.new("L", (100, 100), 9)) == 9).all()


def test_too_few_are_left_after_skipping(tmp_path):
    spoil(tmp_path)
    for path in sorted(tmp_path.glob("00*.bmp"))[:11]:
        path.unlink()
    with pytest.raises(DataError, match="holds 1 picture that can be read; at least 10 different"):
        read(tmp_path, SKIPPING)


def test_fewer_than_ten_different_pictures_are_refused(tmp_path):
    write_pictures(tmp_path, 9)
    with pytest.raises(DataError, match="holds 9 pictures that can be read; at least 10 different"):
        read(tmp_path)
    shutil.copytree(tmp_path, tmp_path / "again")
    with pytest.raises(DataError, match="holds 18 pictures that can be read, 9 of them different"):
        read(tmp_path)
    write_pictures(tmp_path, 1, first=9)
    assert all(len(split.labels) for split in read(tmp_path)[:3])


def test_links_to_folders_are_followed_once(tmp_path):
    write_pictures(tmp_path / "elsewhere", 12)
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "cat").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere" / "back").symlink_to(tmp_path / "pictures")
    dataset = read(tmp_path / "pictures")
    assert len(everything(dataset)) == 12
    assert dataset.classes == ("cat",)


def test_a_pipe_is_not_waited_for(tmp_path):
    write_pictures(tmp_path, 12)
    os.mkfifo(tmp_path / "pipe.png")
    assert len(everything(read(tmp_path))) == 12


def test_a_missing_folder_and_one_without_pictures_are_refused(tmp_path):
    with pytest.raises(DataError, match="nowhere is not a folder; --data_dir must name the folder"):
        read(tmp_path / "nowhere")
    (tmp_path / "notes.txt").touch()
    with pytest.raises(DataError, match="notes.txt is not a folder"):
        read(tmp_path / "notes.txt")
    (tmp_path / "phone.mov").touch()
    with pytest.raises(DataError) as caught:
        read(tmp_path)
    assert str(caught.value) == (
        f"{tmp_path} holds no pictures; 2 other files ignored (1 .mov, 1 .txt); --data_dir must "
        "name their folder"
    )


def test_a_folder_that_cannot_be_listed_is_an_error(tmp_path, monkeypatch):
    def refuse(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(DataError, match=f"{tmp_path} cannot be listed: Permission denied"):
        read(tmp_path)


def test_more_than_fits_in_memory_is_refused(tmp_path, monkeypatch):
    write_pictures(tmp_path, 12, "RGB")
    needed = 12 * 8 * 8 * 3 * 5
    for present, refused in ((needed, False), (needed - 1, True), (needed // 3 - 1, True)):
        pages = {"SC_PAGE_SIZE": 1, "SC_PHYS_PAGES": present}
        monkeypatch.setattr(os, "sysconf", pages.__getitem__)
        if refused:
            with pytest.raises(DataError, match=r"12 pictures in .* at 8x8 need 0.0 GiB"):
                read(tmp_path)
        else:
            assert len(everything(read(tmp_path))) == 12


@pytest.mark.parametrize("size", [-4, 0, 2, 30])
def test_a_size_that_cannot_be_halved_twice_is_refused(size):
    with pytest.raises(ValueError, match=f"--image_size is {size}; it must be a positive multiple"):
        PictureOptions(image_size=size)
