import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from lecture_models.nn.cpu import winograd

RANDOM = np.random.default_rng(0)


def direct(x, kernel):
    return lax.conv_general_dilated(
        x, kernel, (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC")
    )


def example(*shape, features):
    """Maps, filters that keep their size, and a cotangent."""
    shapes = shape, (3, 3, shape[-1], features), (*shape[:-1], features)
    x, kernel, cotangent = (jnp.asarray(RANDOM.normal(size=each), jnp.float32) for each in shapes)
    return x, kernel / np.sqrt(9 * shape[-1]), cotangent


def error(found, wanted):
    """The largest, beside the largest value."""
    return np.abs(found - wanted).max() / np.abs(wanted).max()


def test_the_matrices_correlate_a_row_exactly():
    outputs, filters, inputs = winograd.cook_toom()
    row, window = np.arange(6.0) ** 2 - 3.0, np.array([2.0, -1.0, 5.0])
    found = outputs @ ((filters @ window) * (inputs @ row))
    np.testing.assert_allclose(found, np.correlate(row, window), rtol=1e-12)


@pytest.mark.parametrize("shape", [(1, 16, 16, 64), (2, 13, 22, 96), (3, 9, 5, 7)])
def test_maps_and_gradients_are_those_of_the_direct_convolution(shape):
    x, kernel, cotangent = example(*shape, features=80)
    y, pull = jax.vjp(winograd.convolve, x, kernel)
    wanted, wanted_pull = jax.vjp(direct, x, kernel)
    assert y.shape == wanted.shape
    assert error(y, wanted) < 1e-5
    for found, expected in zip(pull(cotangent), wanted_pull(cotangent), strict=True):
        assert found.shape == expected.shape
        assert error(found, expected) < 2e-5


def test_strips_are_the_whole(monkeypatch):
    x, kernel, _ = example(2, 30, 17, 64, features=8)
    whole = winograd.convolve(x, kernel)
    monkeypatch.setattr(winograd, "STRIP", 36 * 2 * 5 * 64 * 3)  # Three of the eight rows of tiles.
    assert error(winograd.convolve(x, kernel), whole) < 1e-6
    assert "scan" in str(jax.make_jaxpr(winograd.convolve)(x, kernel))
