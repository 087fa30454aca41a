import functools

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

    @functools.partial(jax.jit, static_argnums=0)
    def maps_and_gradients(convolve, x, kernel, cotangent):
        y, pull = jax.vjp(convolve, x, kernel)
        return y, pull(cotangent)

    y, gradients = maps_and_gradients(winograd.convolve, x, kernel, cotangent)
    wanted, wanted_gradients = maps_and_gradients(direct, x, kernel, cotangent)
    assert y.shape == wanted.shape
    assert error(y, wanted) < 1e-5
    for found, expected in zip(gradients, wanted_gradients, strict=True):
        assert found.shape == expected.shape
        assert error(found, expected) < 2e-5


def test_strips_give_the_same_result_as_the_whole(monkeypatch):
    x, kernel, _ = example(2, 30, 17, 64, features=8)
    whole = winograd.convolve(x, kernel)
    # Three of the eight rows of tiles.
    monkeypatch.setattr(winograd, "STRIP", 36 * 2 * 5 * 64 * 3)
    # Products of other shapes add in another order; a wrong strip is off by its whole values.
    assert error(winograd.convolve(x, kernel), whole) < 5e-6
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


@functools.partial(jax.jit, static_argnames="strip")
def by_tiles(hit, kernel, x, hit_cotangent, strip):
    """Returns maps, and the gradient to other maps; `strip` is winograd.STRIP at the tracing."""
    (gradient,) = jax.vjp(lambda maps: winograd.convolve(maps, kernel), x)[1](hit_cotangent)
    return winograd.convolve(hit, kernel), gradient


@jax.jit
def directly(hit, kernel, x, hit_cotangent):
    (gradient,) = jax.vjp(lambda maps: direct(maps, kernel), x)[1](hit_cotangent)
    return direct(hit, kernel), gradient


@pytest.mark.parametrize("value", [np.inf, -np.inf, np.nan])
@pytest.mark.parametrize(("row", "column"), [(0, 0), (6, 9), (7, 8), (12, 21)])
@pytest.mark.parametrize("strip", [winograd.STRIP, 1])
def test_a_value_that_is_not_finite_stays_within_its_tiles(monkeypatch, value, row, column, strip):
    monkeypatch.setattr(winograd, "STRIP", strip)
    x, kernel, cotangent = example(2, 13, 22, 6, features=5)
    # The gradient to the maps is a convolution of the cotangent.
    hits = [array.at[0, row, column, 0].set(value) for array in (x, cotangent)]
    affected = tiles_that_read(x.shape, row, column)
    found = by_tiles(hits[0], kernel, x, hits[1], strip=strip)
    for ours, wanted in zip(found, directly(hits[0], kernel, x, hits[1]), strict=True):
        assert np.isfinite(wanted)[~affected].all()
        assert error(ours[~affected], wanted[~affected]) < 1e-5
        assert not (np.isfinite(ours) & ~np.isfinite(wanted)).any()


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
