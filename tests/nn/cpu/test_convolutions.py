import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn

from lecture_models.nn.cpu import convolutions, winograd
from lecture_models.nn.cpu.convolutions import faster_convolutions, plain_convolutions
from tests.random_variables import random_variables

MANY, SOME = winograd.CHANNELS, winograd.FILTER_CHANNELS
RANDOM = np.random.default_rng(0)
REPLACED = "custom_vjp_call"


@pytest.fixture
def small_ones_too(monkeypatch):
    monkeypatch.setattr(winograd, "WORK", 0)
    monkeypatch.setattr(convolutions, "SLICE", 8 * 22 * 25 * 16)


any_work = pytest.mark.usefixtures("small_ones_too")


def normal(*shape):
    return jnp.asarray(RANDOM.normal(size=shape), jnp.float32)


def variables_of(module, x):
    """Returns the shapes of the variables; nothing is computed."""
    return jax.eval_shape(module.init, jax.random.key(0), x)


def program(module, x):
    return str(jax.make_jaxpr(module.apply)(variables_of(module, x), x))


PADDINGS = ("SAME", "VALID", "REFLECT", 2, ((0, 1), (3, 0)))


@pytest.mark.slow
@any_work
@pytest.mark.parametrize(
    ("images", "channels", "new", "window", "strides", "padding"),
    [(1, MANY, MANY, 3, 1, each) for each in PADDINGS]
    + [(1, SOME, MANY, 3, 1, each) for each in PADDINGS]
    + [(24, 16, 16, 5, 1, each) for each in PADDINGS]
    + [(1, 3, MANY, 3, 1, "SAME"), (1, 1, MANY, 5, 2, ((0, 1), (3, 0)))],
)
def test_replaced_convolutions_agree_for_any_padding(
    images, channels, new, window, strides, padding
):
    module = nn.Conv(new, (window, window), strides, padding=padding)
    x = normal(images, 18, 21, channels)
    variables = random_variables(module, x)

    def loss(variables, x):
        y = module.apply(variables, x)
        return jnp.sum(y**2), y

    def compute():  # A program of its own: a function that was traced before is not traced again.
        return jax.jit(jax.value_and_grad(loss, argnums=(0, 1), has_aux=True))(variables, x)

    wanted = compute()
    with faster_convolutions():
        found = compute()
        assert REPLACED in program(module, x)
    for ours, direct in zip(jax.tree.leaves(found), jax.tree.leaves(wanted), strict=True):
        np.testing.assert_allclose(ours, direct, rtol=0, atol=2e-5 * np.abs(direct).max())


class Twice(nn.Module):
    @nn.compact
    def __call__(self, x):
        return nn.Conv(MANY, (3, 3), name="second")(nn.Conv(MANY, (3, 3), name="first")(x))


@pytest.mark.slow
@any_work
def test_submodules_keep_their_variables():
    x = normal(1, 16, 16, 3)

    def init():  # A program of its own at each call.
        return jax.jit(lambda key: Twice().init_with_output(key, x))(jax.random.key(0))

    wanted, variables = init()
    with faster_convolutions():
        replaced = jax.jit(lambda variables: Twice().apply(variables, x))(variables)
        first, _ = init()
    np.testing.assert_allclose(replaced, wanted, rtol=0, atol=1e-4)
    np.testing.assert_allclose(first, wanted, rtol=0, atol=1e-4)


@any_work
@pytest.mark.parametrize(
    ("module", "side", "channels"),
    [
        (nn.Conv(MANY, (5, 5)), 16, MANY),
        (nn.Conv(MANY, (1, 1)), 16, 3),
        (nn.Conv(MANY, (3, 3), 2), 32, MANY),
        (nn.Conv(MANY, (3, 3), kernel_dilation=2), 16, 3),
        (nn.Conv(MANY, (3, 3), padding=1, input_dilation=2), 16, 3),
        (nn.Conv(MANY, (3, 3), feature_group_count=2), 16, MANY),
        (nn.Conv(MANY, (3, 3), dtype=jnp.bfloat16), 16, MANY),
        (nn.Conv(MANY, (3, 3)), 16, 16),
        (nn.Conv(MANY, (3,)), 16, 3),
        (nn.ConvTranspose(MANY, (3, 3)), 16, 3),
    ],
)
def test_convolutions_that_gain_nothing_are_not_replaced(module, side, channels):
    shape = (1, side, channels) if module.kernel_size == (3,) else (1, side, side, channels)
    with faster_convolutions():
        assert REPLACED not in program(module, jnp.zeros(shape))


def test_small_convolutions_are_not_replaced():
    module = nn.Conv(MANY, (3, 3))
    variables = variables_of(module, jnp.zeros((1, 4, 4, MANY)))
    enough = math.ceil(math.sqrt(winograd.WORK / (9 * MANY**2)))
    for side, replaced in ((enough - 1, False), (enough, True)):
        x = jax.ShapeDtypeStruct((1, side, side, MANY), jnp.float32)
        with faster_convolutions():
            program = str(jax.make_jaxpr(module.apply)(variables, x))
        assert (REPLACED in program) == replaced


@any_work
def test_plain_convolutions_keep_the_program():
    module, x = nn.Conv(MANY, (3, 3)), jnp.zeros((1, 16, 16, MANY))
    with faster_convolutions(), plain_convolutions():
        seen = program(module, x)
    assert "conv_general_dilated" in seen
    assert REPLACED not in seen


@any_work
@pytest.mark.parametrize("channels", [MANY, 3])
@pytest.mark.parametrize(("platform", "direct"), [("cpu", False), ("cuda", True), ("tpu", True)])
def test_convolutions_are_replaced_on_a_cpu_only(channels, platform, direct):
    module, x = nn.Conv(MANY, (3, 3)), jnp.zeros((1, 16, 16, channels))
    variables = variables_of(module, x)

    @faster_convolutions()
    def loss(variables, x):
        return module.apply(variables, x).sum()

    traced = jax.jit(jax.grad(loss, argnums=(0, 1))).trace(variables, x)
    program = traced.lower(lowering_platforms=(platform,)).as_text()
    assert ("stablehlo.convolution" in program) == direct
    assert ("stablehlo.dot_general" in program) != direct


@pytest.mark.slow
@pytest.mark.parametrize(
    ("images", "channels", "window", "slices"),
    [(128, 16, 3, 8), (128, 16, 1, 1), (100, 32, 5, 1), (32, 16, 3, 1), (40, 16, 5, 3)],
)
def test_gradients_of_small_filters_are_summed_by_slices_of_images(
    images, channels, window, slices
):
    module = nn.Conv(channels, (window, window), use_bias=False)
    x = jnp.zeros((images, 32, 32, channels))
    kernel = jnp.zeros((window, window, channels, channels))

    def loss(kernel):
        return module.apply({"params": {"kernel": kernel}}, x).sum()

    with faster_convolutions():
        traced = jax.jit(jax.grad(loss)).trace(kernel)
    program = traced.lower(lowering_platforms=("cpu",)).as_text()
    assert program.count("stablehlo.convolution(") == slices
