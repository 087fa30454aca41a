import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lecture_models.nn.augmentation import (
    channel_moments,
    random_crop,
    random_flip,
    standardize,
)

FILL = np.float32([-1.0, 0.25])


def numbered(count, height, width):
    """Returns images whose values all differ, so that a crop shows where it was taken."""
    return jnp.arange(count * height * width * 2, dtype=jnp.float32).reshape(
        count, height, width, 2
    )


@pytest.mark.slow
@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**31 - 1), padding=st.integers(0, 3))
def test_every_crop_is_one_of_those_of_the_padded_image(seed, padding):
    images = numbered(6, 4, 5)
    found = np.asarray(random_crop(jax.random.key(seed), images, padding, FILL))
    assert found.shape == images.shape
    for image, crop in zip(np.asarray(images), found, strict=True):
        padded = np.empty((4 + 2 * padding, 5 + 2 * padding, 2), np.float32)
        padded[:] = FILL
        padded[padding : padding + 4, padding : padding + 5] = image
        places = np.arange(2 * padding + 1)
        allowed = [padded[i : i + 4, j : j + 5] for i in places for j in places]
        assert sum(np.array_equal(crop, each) for each in allowed) == 1


def test_all_positions_are_equally_likely():
    images = jnp.broadcast_to(numbered(1, 5, 5), (9_000, 5, 5, 2))
    found = np.asarray(random_crop(jax.random.key(0), images, 1, FILL))
    _, counts = np.unique(found.reshape(9_000, -1), axis=0, return_counts=True)
    assert len(counts) == 9
    assert np.abs(counts - 1_000).max() < 150  # Five standard deviations.


def test_a_crop_without_padding_changes_nothing():
    images = numbered(3, 4, 5)
    np.testing.assert_array_equal(random_crop(jax.random.key(0), images, 0, FILL), images)


def test_negative_padding_is_refused():
    with pytest.raises(ValueError, match="padding is -1; it must be at least 0"):
        random_crop(jax.random.key(0), numbered(1, 4, 4), -1, FILL)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**31 - 1))
def test_every_flip_is_the_image_or_its_mirror_image(seed):
    images = numbered(6, 4, 5)
    found = np.asarray(random_flip(jax.random.key(seed), images))
    for image, flipped in zip(np.asarray(images), found, strict=True):
        assert np.array_equal(flipped, image) != np.array_equal(flipped, image[:, ::-1])


def test_half_of_the_images_are_mirrored_independently():
    images = jnp.broadcast_to(numbered(1, 1, 2), (2_000, 1, 2, 2))
    found = random_flip(jax.random.key(0), images)
    mirrored = np.asarray((found != images).any((1, 2, 3)))
    assert 0.45 < mirrored.mean() < 0.55
    assert 0.45 < (mirrored[1:] != mirrored[:-1]).mean() < 0.55


def test_the_same_key_gives_the_same_crops_and_another_key_others():
    images = numbered(20, 4, 4)
    one, again, other = (random_crop(jax.random.key(k), images, 2, FILL) for k in (1, 1, 2))
    np.testing.assert_array_equal(one, again)
    assert (one != other).any()


def test_standardized_channels_have_mean_0_and_deviation_1():
    images = np.random.default_rng(0).normal(2.0, 3.0, (50, 6, 6, 3)).astype(np.float32)
    images[..., 2] *= 0.01
    found = np.asarray(standardize(jnp.asarray(images), channel_moments(images)))
    np.testing.assert_allclose(found.mean((0, 1, 2)), 0.0, atol=1e-4)
    np.testing.assert_allclose(found.std((0, 1, 2)), 1.0, atol=1e-4)


def test_a_channel_that_never_changes_becomes_0():
    images = np.full((2, 3, 3, 1), -1.0, np.float32)
    moments = channel_moments(images)
    np.testing.assert_array_equal(moments.deviation, [1.0])
    np.testing.assert_array_equal(standardize(jnp.asarray(images), moments), 0.0 * images)


@pytest.mark.slow
def test_a_border_of_the_mean_is_0_once_standardized():
    images = np.random.default_rng(0).normal(2.0, 3.0, (50, 6, 6, 2)).astype(np.float32)
    moments = channel_moments(images)
    moved = random_crop(jax.random.key(0), jnp.asarray(images), 6, moments.mean)
    found = np.asarray(standardize(moved, moments))
    assert (found == 0.0).mean() > 0.2
