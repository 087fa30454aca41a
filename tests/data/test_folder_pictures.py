import numpy as np
import pytest
from PIL import Image

from tests.data.small_pictures import (
    alone,
    everything,
    members,
    read,
    write_pictures,
)


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


def gray_palette():
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
        (gray_palette(), "a.png", 100),
        (gray_palette(), "a.gif", 100),
    ],
)
def test_gray_of_every_depth_is_gray_of_eight_bits(tmp_path, picture, name, level):
    pixels = alone(tmp_path, picture, name)
    assert pixels.shape == (8, 8, 1)
    assert (pixels == level).all()


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "CMYK", "YCbCr", "P"])
def test_color_of_every_kind_is_red_green_and_blue(tmp_path, mode):
    picture = Image.new("RGB", (10, 10), (204, 102, 51)).convert(mode)
    pixels = alone(tmp_path, picture, "a.png" if mode in ("RGB", "RGBA", "P") else "a.tif")
    np.testing.assert_allclose(pixels, np.broadcast_to([204, 102, 51], (8, 8, 3)), atol=2)


def test_one_picture_in_color_makes_all_of_three_channels(tmp_path):
    write_pictures(tmp_path, 10)
    gray = members(tmp_path)
    write_pictures(tmp_path, 1, "RGB", first=20)
    dataset = read(tmp_path)
    assert "8x8 color" in dataset.provenance.source
    found = [image for image in everything(dataset) if image[..., :1].tobytes() in gray]
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
