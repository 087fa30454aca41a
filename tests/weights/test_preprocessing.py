import jax
import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image

from lecture_models.weights.preprocessing import (
    Preprocessing,
    central_crop,
    resize,
    standardized,
    ten_crops,
)

CAFFE = Preprocessing((104.0, 117.0, 123.0), (1.0, 1.0, 1.0), 255.0, bgr=True, size=0)
TORCH = Preprocessing((0.485, 0.456, 0.406), (0.229, 0.224, 0.225), 1.0, bgr=False, size=0)
TENSORFLOW = Preprocessing((1.0, 1.0, 1.0), (1.0, 1.0, 1.0), 2.0, bgr=False, size=0)


def numbered(height, width):
    return jnp.arange(height * width * 3, dtype=jnp.float32).reshape(1, height, width, 3)


def color(red, green, blue):
    """Returns one pixel of these bytes, in [-1, 1]."""
    return jnp.array([red, green, blue], jnp.float32).reshape(1, 1, 1, 3) / 127.5 - 1.0


def test_caffe_takes_blue_first_from_which_its_own_mean_is_subtracted():
    found = CAFFE(color(123, 117, 104))
    np.testing.assert_allclose(found.ravel(), [0.0, 0.0, 0.0], atol=1e-4)
    np.testing.assert_allclose(CAFFE(color(255, 0, 0)).ravel(), [-104.0, -117.0, 132.0], atol=1e-4)


def test_torch_normalizes_each_channel_of_zero_to_one():
    expected = [(1.0 - 0.485) / 0.229, (0.0 - 0.456) / 0.224, (0.2 - 0.406) / 0.225]
    np.testing.assert_allclose(TORCH(color(255, 0, 51)).ravel(), expected, rtol=1e-5)


def test_tensorflow_takes_pictures_as_they_are_here():
    images = jax.random.uniform(jax.random.key(0), (1, 4, 4, 3), minval=-1.0)
    np.testing.assert_allclose(TENSORFLOW(images), images, atol=1e-6)


def test_a_network_of_gray_images_sees_the_luma_of_pillow():
    pixels = np.random.default_rng(0).integers(0, 256, (6, 6, 3), np.uint8)
    gray = np.asarray(Image.fromarray(pixels).convert("L"), np.float32) / 127.5 - 1.0
    found = standardized(6, (-0.3,), (0.5,))(jnp.asarray(pixels[None], jnp.float32) / 127.5 - 1.0)
    assert found.shape == (1, 6, 6, 1)
    np.testing.assert_allclose(found[0, ..., 0], (gray + 0.3) / 0.5, atol=2.0 / 127.5)


def test_standardized_channels_have_their_own_moments():
    found = standardized(1, (-1.0, 0.0, 0.5), (1.0, 2.0, 0.25))(color(255, 0, 0))
    np.testing.assert_allclose(found.ravel(), [2.0, -0.5, -6.0], atol=1e-6)


def test_the_central_crop_leaves_as_much_on_either_side():
    images = numbered(6, 9)
    np.testing.assert_array_equal(central_crop(images, 4), images[:, 1:5, 2:6])


def test_a_crop_larger_than_the_picture_is_refused():
    with pytest.raises(
        ValueError, match="images are 6x9; for a crop of 7x7 no side may be shorter"
    ):
        central_crop(numbered(6, 9), 7)


def test_ten_crops_are_five_places_and_their_mirror_images():
    images = numbered(4, 6)
    crops = ten_crops(images, 2)
    assert crops.shape == (10, 2, 2, 3)
    np.testing.assert_array_equal(crops[0], images[0, :2, :2])
    np.testing.assert_array_equal(crops[3], images[0, 2:, 4:])
    np.testing.assert_array_equal(crops[4], central_crop(images, 2)[0])
    np.testing.assert_array_equal(crops[5:], crops[:5, :, ::-1])


@pytest.mark.parametrize(("height", "width"), [(96, 64), (40, 100), (512, 400)])
def test_resizing_agrees_with_pillow(height, width):
    noise = np.random.default_rng(0).integers(0, 256, (height // 4, width // 4, 3), np.uint8)
    picture = Image.fromarray(noise).resize((width, height), Image.Resampling.BICUBIC)
    scale = 64 / min(height, width)
    sides = (round(width * scale), round(height * scale))
    expected = np.asarray(picture.resize(sides, Image.Resampling.BICUBIC))
    found = resize(jnp.asarray(picture, jnp.float32)[None] / 127.5 - 1.0, 64)
    gaps = np.abs(np.asarray((found[0] + 1.0) * 127.5) - expected)
    assert gaps.mean() < 0.4  # Pillow rounds to bytes, half a unit at the most, and clips, twice.
    assert gaps.max() < 4.0


def test_a_picture_of_the_right_size_is_not_touched():
    images = jax.random.uniform(jax.random.key(0), (1, 32, 40, 3), minval=-1.0)
    assert resize(images, 32) is images


def test_a_classifier_is_given_its_own_size_of_any_picture():
    to_squares = TORCH._replace(size=28, shorter_side=32)
    images = jax.random.uniform(jax.random.key(0), (2, 50, 70, 3), minval=-1.0)
    assert to_squares(images).shape == (2, 28, 28, 3)


@pytest.mark.slow
def test_gradients_pass_to_the_picture():
    to_squares = TORCH._replace(size=8, shorter_side=12)
    images = jax.random.uniform(jax.random.key(0), (1, 20, 24, 3), minval=-0.9, maxval=0.9)
    gradient = jax.grad(lambda images: to_squares(images).sum())(images)
    assert float(jnp.abs(gradient[:, 8:12, 10:14]).min()) > 0.0
