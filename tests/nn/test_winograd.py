import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn
from jax import lax

from lecture_models.nn import winograd

CHANNELS = winograd.CHANNELS
RANDOM = np.random.default_rng(0)


def direct(x, kernel):
    return lax.conv_general_dilated(
        x, kernel, (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC")
    )


def example(*shape, features=CHANNELS):
    shapes = shape, (3, 3, shape[-1], features), (*shape[:-1], features)
    x, kernel, cotangent = (jnp.asarray(RANDOM.normal(size=each), jnp.float32) for each in shapes)
    return x, kernel / np.sqrt(9 * shape[-1]), cotangent


def variables_of(module, x):
    return module.init(jax.random.key(0), x)


def same(found, wanted, tolerance=2e-5):
    np.testing.assert_allclose(found, wanted, rtol=0, atol=tolerance * np.abs(wanted).max())


def program(module, x, within=winograd.convolutions):
    variables = variables_of(module, x)
    with within():
        return str(jax.make_jaxpr(module.apply)(variables, x))


def test_the_matrices_correlate_a_row_exactly():
    outputs, filters, inputs = winograd.cook_toom()
    row, window = np.arange(6.0) ** 2 - 3.0, np.array([2.0, -1.0, 5.0])
    found = outputs @ ((filters @ window) * (inputs @ row))
    np.testing.assert_allclose(found, np.correlate(row, window), rtol=1e-12)


@pytest.mark.parametrize("shape", [(1, 16, 16, 64), (2, 13, 22, 96), (3, 9, 5, 64)])
def test_maps_and_gradients_are_those_of_the_direct_convolution(shape):
    x, kernel, cotangent = example(*shape, features=80)
    y, pull = jax.vjp(winograd.convolve, x, kernel)
    wanted, wanted_pull = jax.vjp(direct, x, kernel)
    same(y, wanted)
    for found, expected in zip(pull(cotangent), wanted_pull(cotangent), strict=True):
        same(found, expected)


def test_strips_are_the_whole(monkeypatch):
    x, kernel, _ = example(2, 30, 17, 64)
    whole = winograd.convolve(x, kernel)
    monkeypatch.setattr(winograd, "STRIP", 36 * 2 * 5 * 64 * 3)  # Three of the eight rows of tiles.
    same(winograd.convolve(x, kernel), whole, 1e-6)
    assert "scan" in str(jax.make_jaxpr(winograd.convolve)(x, kernel))


@pytest.mark.parametrize("padding", ["SAME", "VALID", "REFLECT", 2, ((0, 1), (3, 0))])
def test_flax_convolutions_of_any_padding_stay_what_they_are(padding):
    module, x = nn.Conv(CHANNELS, (3, 3), padding=padding), example(1, 18, 21, CHANNELS)[0]
    variables = variables_of(module, x)
    wanted = module.apply(variables, x)
    with winograd.convolutions():
        found = module.apply(variables, x)
    same(found, wanted)
    assert "custom_vjp_call" in program(module, x)


class Twice(nn.Module):
    @nn.compact
    def __call__(self, x):
        return nn.Conv(CHANNELS, (3, 3), name="second")(nn.Conv(CHANNELS, (3, 3), name="first")(x))


def test_submodules_keep_their_variables():
    x = example(1, 16, 16, 3)[0]
    variables = variables_of(Twice(), x)
    wanted = Twice().apply(variables, x)
    with winograd.convolutions():
        same(Twice().apply(variables, x), wanted)
        same(Twice().init_with_output(jax.random.key(0), x)[0], wanted)


@pytest.mark.parametrize(
    ("settings", "side", "channels"),
    [
        ({"kernel_size": (5, 5)}, 16, CHANNELS),
        ({"kernel_size": (3, 3), "strides": 2}, 32, CHANNELS),
        ({"kernel_size": (3, 3), "kernel_dilation": 2}, 16, CHANNELS),
        ({"kernel_size": (3, 3), "feature_group_count": 2}, 16, CHANNELS),
        ({"kernel_size": (3, 3), "dtype": jnp.bfloat16}, 16, CHANNELS),
        ({"kernel_size": (3, 3)}, 16, 32),
        ({"kernel_size": (3, 3)}, 8, CHANNELS),
    ],
)
def test_what_gains_nothing_stays_direct(settings, side, channels):
    module = nn.Conv(CHANNELS, **settings)
    assert "custom_vjp_call" not in program(module, jnp.zeros((1, side, side, channels)))


def test_those_who_read_a_program_see_plain_convolutions():
    x = jnp.zeros((1, 16, 16, CHANNELS))
    module = nn.Conv(CHANNELS, (3, 3))
    variables = variables_of(module, x)
    with winograd.convolutions(), winograd.plain():
        seen = str(jax.make_jaxpr(module.apply)(variables, x))
    assert "conv_general_dilated" in seen
    assert "custom_vjp_call" not in seen


def test_the_gradient_to_maps_needs_no_direct_convolution():
    x, kernel, _ = example(1, 16, 16, CHANNELS)
    gradient = jax.jit(jax.grad(lambda x: winograd.convolve(x, kernel).sum()))
    assert " convolution(" not in gradient.lower(x).compile().as_text()
