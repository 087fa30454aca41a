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
    """Returns maps, filters whose outputs have the scale of the maps, and a cotangent."""
    shapes = shape, (3, 3, shape[-1], features), (*shape[:-1], features)
    x, kernel, cotangent = (jnp.asarray(RANDOM.normal(size=size), jnp.float32) for size in shapes)
    return x, kernel / np.sqrt(9 * shape[-1]), cotangent


def error(found, wanted):
    """Returns the largest error as a fraction of the largest value."""
    return np.abs(found - wanted).max() / np.abs(wanted).max()


def test_the_matrices_correlate_a_row_exactly():
    outputs, filters, inputs = winograd.cook_toom()
    row, window = np.arange(6.0) ** 2 - 3.0, np.array([2.0, -1.0, 5.0])
    found = outputs @ ((filters @ window) * (inputs @ row))
    np.testing.assert_allclose(found, np.correlate(row, window), rtol=1e-12)


@pytest.mark.slow
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


def test_strips_give_the_same_result_as_the_whole(monkeypatch):
    x, kernel, _ = example(2, 30, 17, 64, features=8)
    whole = winograd.convolve(x, kernel)
    # Three of the eight rows of tiles.
    monkeypatch.setattr(winograd, "STRIP", 36 * 2 * 5 * 64 * 3)
    assert error(winograd.convolve(x, kernel), whole) < 1e-6
    assert "scan" in str(jax.make_jaxpr(winograd.convolve)(x, kernel))


def tiles_that_read(shape, row, column):
    """Returns True for outputs of the first image in tiles whose input tile holds the pixel."""
    affected = np.zeros(shape[:3], bool)
    for down in range(0, shape[1], winograd.TILE):
        for across in range(0, shape[2], winograd.TILE):
            rows, columns = row - down, column - across
            if -1 <= rows <= winograd.TILE and -1 <= columns <= winograd.TILE:
                affected[0, down : down + winograd.TILE, across : across + winograd.TILE] = True
    return affected


@pytest.mark.parametrize("value", [np.inf, -np.inf, np.nan])
@pytest.mark.parametrize(("row", "column"), [(0, 0), (6, 9), (7, 8), (12, 21)])
@pytest.mark.parametrize("strip", [winograd.STRIP, 1])
def test_a_value_that_is_not_finite_stays_within_its_tiles(monkeypatch, value, row, column, strip):
    monkeypatch.setattr(winograd, "STRIP", strip)
    x, kernel, cotangent = example(2, 13, 22, 6, features=5)
    hit = x.at[0, row, column, 0].set(value)
    affected = tiles_that_read(x.shape, row, column)
    y, wanted = winograd.convolve(hit, kernel), direct(hit, kernel)
    assert np.isfinite(wanted)[~affected].all()
    assert error(y[~affected], wanted[~affected]) < 1e-5
    assert not (np.isfinite(y) & ~np.isfinite(wanted)).any()
    # The gradient to the maps is a convolution of the cotangent.
    hit = cotangent.at[0, row, column, 0].set(value)
    (found,) = jax.vjp(lambda maps: winograd.convolve(maps, kernel), x)[1](hit)
    (wanted,) = jax.vjp(lambda maps: direct(maps, kernel), x)[1](hit)
    assert error(found[~affected], wanted[~affected]) < 1e-5
    assert not (np.isfinite(found) & ~np.isfinite(wanted)).any()


@pytest.mark.parametrize("gradient", [False, True])
def test_filters_are_transformed_one_layer_at_a_time(gradient):
    num_layers, channels = 12, 64
    transformed = 4 * winograd.READ**2 * channels**2  # Bytes of a layer's transformed filters.

    def loss(x, kernels):
        for kernel in kernels:
            x = jnp.tanh(winograd.convolve(x, kernel))
        return x.sum()

    x = jax.ShapeDtypeStruct((1, 8, 8, channels), jnp.float32)
    kernels = [jax.ShapeDtypeStruct((3, 3, channels, channels), jnp.float32)] * num_layers
    compiled = jax.jit(jax.grad(loss) if gradient else loss).lower(x, kernels).compile()
    assert compiled.memory_analysis().temp_size_in_bytes < 5 * transformed
