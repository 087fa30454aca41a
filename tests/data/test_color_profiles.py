"""Colors of pictures with a profile, compared with published values of the same color in sRGB."""

import numpy as np
import pytest
from PIL import Image

from lecture_models.data import picture
from lecture_models.data.color_profiles import to_srgb
from tests.data.color_profiles import ADOBE_RGB, DISPLAY_P3, rgb_profile, srgb_profile

P3 = rgb_profile(DISPLAY_P3)
ADOBE = rgb_profile(ADOBE_RGB, 2.19921875)


def read(tmp_path, color, profile, mode="RGB", name="a.png", **settings):
    path = tmp_path / name
    Image.new(mode, (20, 16), color).save(path, icc_profile=profile)
    return picture.read_at(path, None, **settings)


@pytest.mark.parametrize(
    ("profile", "color", "srgb"),
    [
        (P3, (234, 51, 35), (255, 0, 0)),
        (P3, (117, 251, 76), (0, 255, 0)),
        (P3, (128, 128, 128), (128, 128, 128)),
        (ADOBE, (219, 0, 0), (255, 0, 0)),
        (ADOBE, (144, 255, 60), (0, 255, 0)),
    ],
    ids=["P3 red", "P3 green", "P3 gray", "Adobe red", "Adobe green"],
)
def test_a_color_is_what_its_profile_says(tmp_path, profile, color, srgb):
    found = read(tmp_path, color, profile).pixels
    np.testing.assert_allclose(found, np.broadcast_to(srgb, found.shape), atol=3)


@pytest.mark.parametrize("profile", [srgb_profile(), None, b"not a profile"])
def test_without_another_profile_every_level_is_kept(tmp_path, profile):
    noise = np.random.default_rng(0).integers(0, 256, (16, 20, 3), np.uint8)
    path = tmp_path / "a.png"
    Image.fromarray(noise).save(path, icc_profile=profile)
    np.testing.assert_array_equal(picture.read_at(path, None).pixels, noise)


def test_a_profile_that_does_not_suit_the_channels_is_ignored(tmp_path):
    assert (read(tmp_path, 70, P3, mode="L").pixels == 70).all()
    with Image.open(tmp_path / "a.png") as image:
        assert to_srgb(image) is None


def test_colors_are_converted_and_the_opacity_is_kept(tmp_path):
    found = read(tmp_path, (234, 51, 35, 128), P3, mode="RGBA")
    np.testing.assert_allclose(found.pixels[0, 0], (255, 127, 127), atol=3)
    assert (found.alpha == 128).all()


def test_an_opaque_alpha_channel_is_no_opacity(tmp_path):
    found = read(tmp_path, (9, 9, 9, 255), None, mode="RGBA")
    assert found.alpha is None
    assert (found.pixels == 9).all()


def test_the_opacity_has_the_size_and_the_rotation_of_the_picture(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    image = Image.new("RGBA", (40, 20), (0, 0, 0, 0))
    image.paste((0, 0, 0, 255), (0, 0, 20, 20))  # The left half, which is shown on top.
    image.save(tmp_path / "a.png", exif=exif)
    found = picture.read_at(tmp_path / "a.png", 32)
    assert found.pixels.shape[:2] == found.alpha.shape == (32, 16)
    assert found.alpha[:14].min() == 255
    assert found.alpha[18:].max() == 0
