import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lecture_models.models.autoencoder import DenseEncoder
from lecture_models.models.filters import filter_pictures


def test_each_picture_holds_the_weights_of_one_unit_in_the_images_order():
    weights = jnp.arange(-6.0, 6.0).reshape(12, 1) * jnp.array([[1.0, -2.0]])
    first, second = filter_pictures(weights, (2, 3, 2))
    np.testing.assert_allclose(first.ravel(), np.arange(-6.0, 6.0) / 6.0, rtol=1e-6)
    np.testing.assert_allclose(second, -first)


def test_zero_is_mid_gray_and_so_is_a_unit_without_weights():
    pictures = filter_pictures(np.array([[0.0, 0.0], [5.0, 0.0]], np.float32), (2, 1, 1))
    assert pictures.ravel().tolist() == [0.0, 1.0, 0.0, 0.0]


def test_an_image_like_its_filter_excites_the_unit_most():
    encoder = DenseEncoder((), 6)
    kernel = encoder.init(jax.random.key(0), jnp.zeros((1, 5, 4, 1)))["params"]["Dense_0"]["kernel"]
    pictures = filter_pictures(kernel, (5, 4, 1))
    normalized = pictures / jnp.linalg.norm(pictures.reshape(6, -1), axis=1)[:, None, None, None]
    responses = normalized.reshape(6, -1) @ kernel
    np.testing.assert_array_equal(responses.argmax(axis=0), np.arange(6))


def test_a_wrong_number_of_pixels_is_refused():
    with pytest.raises(ValueError, match="783 weights; images of 28x28x1 have 784 pixels"):
        filter_pictures(jnp.zeros((783, 4)), (28, 28, 1))
