"""Tests that a picture at a size is right, or is refused in one clear line."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lecture_models.data import picture
from lecture_models.data.dataset import DataError
from tests.conftest import ROOT


def saved(path, image, **options):
    image.save(path, **options)
    return path


def refusal(path, size, square=False):
    with pytest.raises(DataError) as caught:
        picture.read_at(path, size, square)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("file", "size", "shape"),
    [
        ((60, 30), 40, (20, 40, 3)),
        ((30, 60), 40, (40, 20, 3)),
        ((30, 60), 120, (120, 60, 3)),
        ((61, 30), None, (30, 61, 3)),
    ],
    ids=["wide", "high", "enlarged", "as it is"],
)
def test_the_longer_side_gets_the_size_and_the_aspect_is_kept(tmp_path, file, size, shape):
    path = saved(tmp_path / "a.png", Image.new("RGB", file, (10, 20, 30)))
    found = picture.read_at(path, size)
    assert found.pixels.shape == shape
    assert found.size == file
    assert (found.pixels == [10, 20, 30]).all()


def test_the_central_square_has_both_sides(tmp_path):
    path = saved(tmp_path / "a.png", Image.new("RGB", (60, 30), (10, 20, 30)))
    assert picture.read_at(path, 24, square=True).pixels.shape == (24, 24, 3)
    assert picture.read_at(path, None, square=True).pixels.shape == (30, 30, 3)


@pytest.mark.parametrize("size", [0, -5, 15])
def test_a_size_that_is_none_is_refused(tmp_path, size):
    assert refusal(tmp_path / "absent.png", size) == f"--size is {size}; it must be at least 16"


def test_a_picture_of_one_pixel_is_refused(tmp_path):
    path = saved(tmp_path / "a.png", Image.new("RGB", (1, 1)))
    assert refusal(path, None) == f"{path} is 1x1; both sides must be at least 16"
    assert refusal(path, 256) == (
        f"{path} is 1x1; --size=256 would enlarge it 256 times; at most 4 times are allowed"
    )


def test_a_narrow_picture_is_refused_with_what_it_would_be(tmp_path):
    path = saved(tmp_path / "a.png", Image.new("RGB", (600, 20)))
    assert refusal(path, 128) == (
        f"{path} is 600x20, 128x4 at --size=128; both sides must be at least 16"
    )


def test_more_than_179_megapixels_are_refused_before_they_are_made(tmp_path):
    path = saved(tmp_path / "a.png", Image.new("1", (8_000, 8_000)), compress_level=1)
    assert "20000x20000 at --size=20000; at most 179 megapixels are" in refusal(path, 20_000)


def test_an_absent_file_and_one_that_is_no_picture_are_refused(tmp_path):
    (tmp_path / "a.jpg").write_bytes(b"<html>")
    assert refusal(tmp_path / "a.jpg", 64) == f"{tmp_path / 'a.jpg'} cannot be read: not a picture"
    assert "No such file" in refusal(tmp_path / "b.jpg", 64)


def test_a_file_cut_off_is_refused(tmp_path):
    path = saved(tmp_path / "a.jpg", Image.effect_noise((64, 64), 50))
    path.write_bytes(path.read_bytes()[:-500])
    assert "truncated" in refusal(path, 64)


def test_a_turned_picture_has_its_longer_side_where_it_is_seen(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    path = saved(tmp_path / "a.jpg", Image.new("RGB", (80, 40), (90, 90, 90)), exif=exif)
    assert picture.read_at(path, 40).pixels.shape == (40, 20, 3)


LEVELS = np.full((40, 40), 100 * 257, np.uint16)


@pytest.mark.parametrize(
    ("image", "name", "expected"),
    [
        (Image.new("RGBA", (40, 40), (0, 100, 255, 51)), "a.png", [204, 224, 255]),
        (Image.new("LA", (40, 40), (0, 51)), "a.png", [204, 204, 204]),
        (Image.new("RGBA", (40, 40), (9, 9, 9, 0)), "a.webp", [255, 255, 255]),
        (Image.new("CMYK", (40, 40), (0, 255, 255, 0)), "a.jpg", [255, 0, 0]),
        (Image.fromarray(LEVELS), "a.png", [100, 100, 100]),
        (Image.fromarray(LEVELS), "a.tif", [100, 100, 100]),
        (Image.new("RGB", (40, 40), (7, 8, 9)).quantize(4), "a.gif", [7, 8, 9]),
        (Image.new("1", (40, 40), 1), "a.png", [255, 255, 255]),
    ],
    ids=["alpha", "gray alpha", "clear", "CMYK", "16 bits", "16 bits TIFF", "palette", "1 bit"],
)
@pytest.mark.parametrize("size", [None, 20, 80])
def test_every_kind_of_pixel_is_right_at_every_size(tmp_path, image, name, expected, size):
    found = picture.read_at(saved(tmp_path / name, image), size).pixels
    np.testing.assert_allclose(found, np.broadcast_to(expected, found.shape), atol=3)


@pytest.mark.parametrize("name", ["a.gif", "a.png", "a.webp"])
def test_of_an_animation_the_first_frame_counts(tmp_path, name):
    frames = [Image.new("RGB", (40, 40), (level,) * 3) for level in (60, 200, 120)]
    path = saved(tmp_path / name, frames[0], save_all=True, append_images=frames[1:])
    assert np.abs(picture.read_at(path, 20).pixels.astype(int) - 60).max() <= 3


def test_bands_of_a_high_picture_are_joined_where_they_were_cut(tmp_path, monkeypatch):
    monkeypatch.setattr(picture, "_BAND", 7)
    pixels = np.random.default_rng(0).integers(0, 256, (40, 30, 4)).astype(np.uint8)
    path = saved(tmp_path / "a.png", Image.fromarray(pixels, "RGBA"))
    banded = picture.read_at(path, None).pixels
    monkeypatch.setattr(picture, "_BAND", 1000)
    np.testing.assert_array_equal(banded, picture.read_at(path, None).pixels)


PEAK = """
import pathlib, sys
from lecture_models.data import picture
found = picture.read_at(pathlib.Path(sys.argv[1]), 512)
lines = pathlib.Path("/proc/self/status").read_text().splitlines()
peak = next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
print(*found.pixels.shape[:2], peak // 1024)
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="no /proc on this machine")
@pytest.mark.parametrize(
    ("mode", "name", "most"),
    [("RGB", "a.jpg", 300), ("RGBA", "a.png", 700)],
    ids=["JPEG, decoded small", "PNG with alpha, converted in bands"],
)
def test_a_panorama_of_12000_pixels_takes_no_gigabytes(tmp_path, mode, name, most):
    path = saved(tmp_path / name, Image.new(mode, (12_000, 3_000), (9, 90, 200)), compress_level=1)
    done = subprocess.run(
        [sys.executable, "-c", PEAK, str(path)],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    height, width, megabytes = map(int, done.stdout.split())
    assert (height, width) == (128, 512)
    assert megabytes < most
