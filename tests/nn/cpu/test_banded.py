import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jax import lax

from lecture_models.nn.cpu import banded

RANDOM = np.random.default_rng(0)


def direct(x, kernel, strides):
    return lax.conv_general_dilated(
        x, kernel, strides, "VALID", dimension_numbers=("NHWC", "HWIO", "NHWC")
    )


def normal(*shape):
    return jnp.asarray(RANDOM.normal(size=shape), jnp.float32)


@pytest.mark.slow
@settings(max_examples=10, deadline=None)
@given(st.data())
def test_it_is_the_direct_convolution(data):
    window = data.draw(st.tuples(st.integers(1, 5), st.integers(1, 5)))
    size = [side + data.draw(st.integers(0, 12)) for side in window]
    strides = data.draw(st.tuples(st.integers(1, 3), st.integers(1, 3)))
    x, kernel = normal(2, *size, 3), normal(*window, 3, 4)
    convolve = jax.jit(
        lambda x, kernel: (banded.convolve(x, kernel, strides), direct(x, kernel, strides))
    )
    found, wanted = convolve(x, kernel)
    np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("strides", [(1, 1), (2, 2), (1, 3)])
def test_its_gradients_are_those_of_the_direct_convolution(strides):
    x, kernel = normal(2, 14, 13, 6), normal(5, 5, 6, 16)
    cotangent = normal(*jax.eval_shape(lambda: banded.convolve(x, kernel, strides)).shape)

    def gradients(convolve):
        def pull(x, kernel, cotangent):
            return jax.vjp(lambda *arrays: convolve(*arrays, strides), x, kernel)[1](cotangent)

        return jax.jit(pull)(x, kernel, cotangent)

    for found, expected in zip(gradients(banded.convolve), gradients(direct), strict=True):
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-3)


@pytest.mark.parametrize("value", [np.inf, np.nan])
def test_a_value_that_is_not_finite_stays_within_its_blocks(value):
    x, kernel = normal(2, 14, 13, 3), normal(3, 3, 3, 4)
    hit = x.at[0, 0, 0, 0].set(value)
    found, wanted = banded.convolve(hit, kernel), direct(hit, kernel, (1, 1))
    affected = np.zeros(found.shape[:3], bool)
    affected[0, 0, : banded.BLOCK] = True
    np.testing.assert_allclose(found[~affected], wanted[~affected], rtol=0, atol=1e-4)
    assert not (np.isfinite(found) & ~np.isfinite(wanted)).any()
