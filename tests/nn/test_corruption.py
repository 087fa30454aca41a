import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lecture_models.nn.corruption import corrupt

COUNT = (50, 28, 28, 1)  # 39,200 pixels: a fraction of them is known to about 0.003.


@pytest.fixture
def images():
    """Returns images without black, white or repeated values."""
    return jnp.linspace(-0.9, 0.9, 50 * 28 * 28).reshape(COUNT)


def key():
    return jax.random.key(0)


def test_a_level_of_zero_is_the_identity(images):
    np.testing.assert_array_equal(corrupt(key(), images), images)


@pytest.mark.parametrize("level", [0.1, 0.25, 0.5])
def test_masking_turns_its_fraction_black_and_leaves_the_rest(images, level):
    noisy = corrupt(key(), images, masking=level)
    touched = noisy != images
    assert float(touched.mean()) == pytest.approx(level, abs=0.01)
    assert set(np.asarray(noisy[touched]).tolist()) == {-1.0}


@pytest.mark.parametrize("level", [0.1, 0.5])
def test_gaussian_noise_has_its_deviation_on_unit_pixels(images, level):
    noise = np.asarray(corrupt(key(), images, gaussian=level) - images) / 2.0
    assert noise.std() == pytest.approx(level, rel=0.02)
    assert noise.mean() == pytest.approx(0.0, abs=0.02 * level)
    assert abs(noise).max() > 3.5 * level  # Not clipped.


@pytest.mark.parametrize("level", [0.1, 0.4])
def test_salt_and_pepper_are_even_and_leave_the_rest(images, level):
    noisy = corrupt(key(), images, salt_and_pepper=level)
    assert float((noisy == 1.0).mean()) == pytest.approx(level / 2, abs=0.01)
    assert float((noisy == -1.0).mean()) == pytest.approx(level / 2, abs=0.01)
    assert float((noisy == images).mean()) == pytest.approx(1.0 - level, abs=0.01)


def test_levels_of_one_corrupt_every_pixel(images):
    assert np.unique(corrupt(key(), images, masking=1.0)).tolist() == [-1.0]
    assert np.unique(corrupt(key(), images, salt_and_pepper=1.0)).tolist() == [-1.0, 1.0]


def test_kinds_of_noise_are_applied_in_order(images):
    noisy = corrupt(key(), images, masking=1.0, gaussian=0.1, salt_and_pepper=0.5)
    spread = noisy[(noisy != 1.0) & (noisy != -1.0)]
    assert float(spread.mean()) == pytest.approx(-1.0, abs=0.01)
    assert float(spread.std()) == pytest.approx(0.2, rel=0.05)


@pytest.mark.parametrize("kind", ["masking", "salt_and_pepper"])
def test_a_pixel_is_corrupted_in_all_its_channels(kind):
    noisy = np.asarray(corrupt(key(), jnp.zeros((4, 8, 8, 3)), **{kind: 0.5}))
    assert (noisy == noisy[..., :1]).all()
    assert 0.0 < (noisy != 0.0).mean() < 1.0


def test_another_key_draws_another_noise_and_the_same_key_the_same(images):
    first, again, other = (
        corrupt(each, images, masking=0.5) for each in (key(), key(), jax.random.key(1))
    )
    np.testing.assert_array_equal(first, again)
    assert float((first != other).mean()) == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize(
    ("level", "message"),
    [
        ({"masking": 1.5}, "masking is 1.5; it must be from 0 to 1"),
        ({"salt_and_pepper": -0.1}, "salt_and_pepper is -0.1; it must be from 0 to 1"),
        ({"gaussian": -1.0}, "gaussian is -1.0; it must be at least 0"),
    ],
)
def test_levels_out_of_range_are_refused(images, level, message):
    with pytest.raises(ValueError, match=message):
        corrupt(key(), images, **level)
