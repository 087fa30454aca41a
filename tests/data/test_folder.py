import hashlib
import io
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lecture_models.data import folder
from lecture_models.data.dataset import DataError, split_checksum
from lecture_models.data.folder import PictureOptions

SMALL = PictureOptions(image_size=8)
SKIPPING = PictureOptions(image_size=8, skip_bad_images=True)


def write_pictures(path: Path, count: int, mode: str = "L", first: int = 0) -> None:
    """`count` different pictures of 12x10, the same bytes with every Pillow, from `first` on."""
    path.mkdir(parents=True, exist_ok=True)
    shape = (10, 12, 3) if mode == "RGB" else (10, 12)
    for number in range(first, first + count):
        pixels = np.random.default_rng(number).integers(0, 256, shape, np.uint8)
        Image.fromarray(pixels).save(path / f"{number:04d}.bmp")


def read(path, options=SMALL):
    return folder.read(path, options, lambda line: None)


def everything(dataset):
    return np.concatenate([split.images for split in dataset[:3]])


def hashes(dataset):
    return [split_checksum(split) for split in dataset[:3]]


def alone(tmp_path, picture, name="picture.png", **save):
    """The bytes that a picture becomes at 8x8, found by their difference from the other ten."""
    write_pictures(tmp_path, 10)
    before = everything(read(tmp_path))
    picture.save(tmp_path / name, **save)
    images = everything(read(tmp_path))
    known = {image.tobytes() for image in np.broadcast_to(before, (10, 8, 8, images.shape[-1]))}
    (new,) = [image for image in images if np.ascontiguousarray(image).tobytes() not in known]
    return np.rint((new + 1.0) * 127.5).astype(np.uint8)


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
    assert provenance.source == "a folder of 41 pictures as 8x8 grey"
    (file,) = provenance.files
    assert file.path == tmp_path
    assert len(file.sha256) == 64
    for part in ("12x10 pixels", "1 other file ignored (1 .txt)", "1 picture a copy of another"):
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


def members(path):
    return {image.tobytes() for image in everything(read(path))}


def test_classes_are_mixed_in_every_split(tmp_path):
    write_pictures(tmp_path / "a", 40)
    write_pictures(tmp_path / "b", 40, first=40)
    labels = read(tmp_path).train.labels
    assert 5 < np.count_nonzero(np.diff(labels)) < len(labels) - 5


def test_one_picture_beside_the_sub_folders_makes_one_class_of_all(tmp_path):
    write_pictures(tmp_path / "cat", 10)
    write_pictures(tmp_path, 1, first=20)
    assert read(tmp_path).classes == ("pictures",)


def test_the_central_square_is_kept(tmp_path):
    wide = Image.new("L", (30, 10), 0)
    wide.paste(250, (10, 0, 20, 10))
    assert (alone(tmp_path, wide) == 250).all()


def test_a_picture_is_turned_as_its_exif_says(tmp_path):
    picture = Image.new("L", (32, 32), 0)
    picture.paste(255, (0, 0, 32, 16))
    exif = Image.Exif()
    exif[0x0112] = 6  # To be shown turned by 90 degrees clockwise: the top goes to the right.
    pixels = alone(tmp_path, picture, exif=exif)[..., 0]
    assert (pixels[:, 5:] > 250).all()
    assert (pixels[:, :3] < 5).all()


@pytest.mark.parametrize("extension", ["png", "jpg"])
def test_resizing_averages_what_is_finer_than_a_pixel(tmp_path, extension):
    checkered = np.indices((320, 320)).sum(0) % 2 * 255
    picture = Image.fromarray(checkered.astype(np.uint8))
    pixels = alone(tmp_path, picture, f"picture.{extension}")
    np.testing.assert_allclose(pixels.astype(int), 127, atol=3)


def test_a_large_jpeg_decoded_at_a_fraction_is_the_same_picture(tmp_path):
    across, down = np.meshgrid(np.linspace(0.0, 6.0, 512), np.linspace(0.0, 6.0, 512))
    smooth = Image.fromarray(np.rint(127 + 120 * np.sin(across) * np.cos(down)).astype(np.uint8))
    exact = smooth.resize((8, 8), Image.Resampling.BICUBIC)
    pixels = alone(tmp_path, smooth, "picture.jpg", quality=95)
    np.testing.assert_allclose(pixels[..., 0].astype(int), np.asarray(exact), atol=4)


def sixteen_bit():
    return Image.fromarray(np.full((10, 10), 100 * 257, np.uint16))


def grey_palette():
    picture = Image.new("P", (10, 10), 1)
    picture.putpalette([0, 0, 0, 100, 100, 100, 255, 255, 255])
    return picture


@pytest.mark.parametrize(
    ("picture", "name", "level"),
    [
        (Image.new("1", (10, 10), 1), "a.png", 255),
        (Image.new("L", (10, 10), 100), "a.png", 100),
        (Image.new("LA", (10, 10), (100, 255)), "a.png", 100),
        (sixteen_bit(), "a.png", 100),
        (sixteen_bit(), "a.tif", 100),
        (sixteen_bit(), "a.pgm", 100),
        (grey_palette(), "a.png", 100),
        (grey_palette(), "a.gif", 100),
    ],
)
def test_grey_of_every_depth_is_grey_of_eight_bits(tmp_path, picture, name, level):
    pixels = alone(tmp_path, picture, name)
    assert pixels.shape == (8, 8, 1)
    assert (pixels == level).all()


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "CMYK", "YCbCr", "P"])
def test_colour_of_every_kind_is_red_green_and_blue(tmp_path, mode):
    picture = Image.new("RGB", (10, 10), (204, 102, 51)).convert(mode)
    pixels = alone(tmp_path, picture, "a.png" if mode in ("RGB", "RGBA", "P") else "a.tif")
    np.testing.assert_allclose(pixels, np.broadcast_to([204, 102, 51], (8, 8, 3)), atol=2)


def test_one_picture_in_colour_makes_all_of_three_channels(tmp_path):
    write_pictures(tmp_path, 10)
    grey = members(tmp_path)
    write_pictures(tmp_path, 1, "RGB", first=20)
    dataset = read(tmp_path)
    assert "8x8 colour" in dataset.provenance.source
    found = [image for image in everything(dataset) if image[..., :1].tobytes() in grey]
    assert len(found) == 10
    assert all((image == image[..., :1]).all() for image in found)


def transparent_sixteen_bit():
    picture = sixteen_bit()
    picture.info["transparency"] = 100 * 257
    return picture


def transparent_palette():
    picture = Image.new("P", (10, 10), 0)
    picture.putpalette([200, 0, 0])
    picture.info["transparency"] = 0
    return picture


@pytest.mark.parametrize(
    ("picture", "expected"),
    [
        (Image.new("RGBA", (10, 10), (0, 0, 0, 0)), [255, 255, 255]),
        (Image.new("RGBA", (10, 10), (0, 100, 255, 51)), [204, 224, 255]),
        (Image.new("LA", (10, 10), (0, 51)), [204]),
        (transparent_palette(), [255, 255, 255]),
        (transparent_sixteen_bit(), [255]),
    ],
)
def test_what_is_transparent_lies_over_white(tmp_path, picture, expected):
    np.testing.assert_array_equal(
        alone(tmp_path, picture), np.broadcast_to(expected, (8, 8, len(expected)))
    )


def test_the_first_frame_of_several_counts(tmp_path):
    frames = [Image.new("L", (10, 10), level) for level in (60, 200)]
    pixels = alone(tmp_path, frames[0], "a.gif", save_all=True, append_images=frames[1:])
    assert (pixels == 60).all()


def spoil(path):
    """Nine files that are no whole pictures under names of pictures, beside 12 good ones."""
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
    assert "drawing.jpg (not a picture), empty.png (empty) and 4 more; " in message
    assert "deep.tif (32 bits a pixel, whose white is not known" in message
    assert message.endswith("--skip_bad_images goes on without")
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


def test_the_splits_are_about_80_10_and_10_percent(tmp_path):
    write_pictures(tmp_path, 400)
    counts = [len(split.labels) for split in read(tmp_path, PictureOptions(image_size=4))[:3]]
    assert sum(counts) == 400
    for count, share in zip(counts, (0.8, 0.1, 0.1), strict=True):
        assert abs(count - 400 * share) < 4 * (400 * share * (1 - share)) ** 0.5


def test_the_hash_of_the_file_decides_and_an_empty_split_gets_the_lowest(tmp_path):
    written, number = [], 0
    while len(written) < 12:
        write_pictures(tmp_path, 1, first=number)
        path = tmp_path / f"{number:04d}.bmp"
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        if int(digest, 16) % 10 >= 2:  # For training.
            written.append((digest, path))
        else:
            path.unlink()
        number += 1
    dataset = read(tmp_path)
    assert [len(split.labels) for split in dataset[:3]] == [10, 1, 1]
    by_digest = [at_eight(path) for _, path in sorted(written)]
    np.testing.assert_array_equal(dataset.validation.images[0], by_digest[0])
    np.testing.assert_array_equal(dataset.test.images[0], by_digest[1])
    np.testing.assert_array_equal(dataset.train.images, by_digest[2:])


def at_eight(path):
    square = Image.open(path).crop((1, 0, 11, 10)).resize((8, 8), Image.Resampling.BICUBIC)
    return np.asarray(square, np.float32)[..., None] / np.float32(127.5) - 1.0


def test_copies_under_other_names_share_a_split(tmp_path):
    write_pictures(tmp_path / "a", 40)
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    parts = [{image.tobytes() for image in split.images} for split in read(tmp_path)[:3]]
    assert [len(part) for part in parts] == [len(s.labels) // 2 for s in read(tmp_path)[:3]]
    assert sum(len(part) for part in parts) == len(set.union(*parts)) == 40


def test_adding_pictures_leaves_the_others_where_they_were(tmp_path):
    write_pictures(tmp_path, 40)
    before = [{image.tobytes() for image in split.images} for split in read(tmp_path)[:3]]
    write_pictures(tmp_path, 40, first=40)
    after = [{image.tobytes() for image in split.images} for split in read(tmp_path)[:3]]
    assert all(one < other for one, other in zip(before, after, strict=True))


def test_names_and_places_of_files_change_nothing(tmp_path):
    write_pictures(tmp_path / "a" / "cat", 20)
    write_pictures(tmp_path / "b" / "cat" / "deep", 20)
    for path in (tmp_path / "b" / "cat" / "deep").iterdir():
        path.rename(path.with_stem(path.stem[::-1]))
    first, second = read(tmp_path / "a"), read(tmp_path / "b")
    assert hashes(first) == hashes(second) == hashes(read(tmp_path / "a"))
    assert first.provenance.files[0].sha256 == second.provenance.files[0].sha256


def test_the_digest_tells_size_content_and_classes_apart(tmp_path):
    write_pictures(tmp_path / "cat", 20)
    digests = [read(tmp_path).provenance.files[0].sha256]
    digests += [read(tmp_path, PictureOptions(image_size=4)).provenance.files[0].sha256]
    (tmp_path / "cat").rename(tmp_path / "owl")
    digests += [read(tmp_path).provenance.files[0].sha256]
    write_pictures(tmp_path / "owl", 1, first=20)
    digests += [read(tmp_path).provenance.files[0].sha256]
    assert len(set(digests)) == 4


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
    with pytest.raises(DataError, match="nowhere is no folder; --data_dir must name the folder"):
        read(tmp_path / "nowhere")
    (tmp_path / "notes.txt").touch()
    with pytest.raises(DataError, match="notes.txt is no folder"):
        read(tmp_path / "notes.txt")
    (tmp_path / "phone.heic").touch()
    with pytest.raises(DataError) as caught:
        read(tmp_path)
    assert str(caught.value) == (
        f"{tmp_path} holds no pictures; 2 other files ignored (1 .heic, 1 .txt); --data_dir must "
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
