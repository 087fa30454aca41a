import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from lecture_models.nn.transposed_convolution import (
    TransposedConvolution,
    by_dilation,
    by_phases,
    by_product,
    strided_convolution,
    transposed_convolution,
)

FORMS = (by_dilation, by_phases, by_product)


def arrays(side=4, height=3, width=5, channels=3, features=7):
    keys = jax.random.split(jax.random.key(0))
    maps = jax.random.normal(keys[0], (2, height, width, channels))
    return maps, jax.random.normal(keys[1], (side, side, channels, features))


def by_definition(x, kernel, stride):
    """Adds the filter once per input, and cuts off the border."""
    x, kernel = np.asarray(x), np.asarray(kernel)
    batch, height, width, _ = x.shape
    side, padding = len(kernel), (len(kernel) - stride + 1) // 2
    size = (batch, stride * height + 2 * side, stride * width + 2 * side, kernel.shape[3])
    whole = np.zeros(size, np.float32)
    for row in range(height):
        for column in range(width):
            stamp = np.einsum("bi,klio->bklo", x[:, row, column], kernel)
            whole[
                :, stride * row : stride * row + side, stride * column : stride * column + side
            ] += stamp
    return whole[:, padding : padding + stride * height, padding : padding + stride * width]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("side", "stride"), [(4, 2), (5, 2), (3, 2), (2, 2), (3, 1), (4, 3)])
def test_every_form_is_the_definition(form, side, stride):
    x, kernel = arrays(side)
    expected = by_definition(x, kernel, stride)
    np.testing.assert_allclose(form(x, kernel, stride), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("features", [2, 7])
def test_it_is_the_adjoint_of_the_strided_convolution(features):
    """Checks <conv(y), x> = <y, transposed(x)> for stride 2, side 4 and a border of 1."""
    x, kernel = arrays(features=features)
    y = jax.random.normal(jax.random.key(2), (2, 6, 10, features))
    strided = lax.conv_general_dilated(
        y,
        kernel.swapaxes(2, 3),
        (2, 2),
        ((1, 1), (1, 1)),
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
    )
    left = float(jnp.vdot(strided, x))
    assert left == pytest.approx(float(jnp.vdot(y, transposed_convolution(x, kernel))), rel=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("form", [by_phases, by_product])
def test_the_gradients_of_all_forms_agree(form):
    x, kernel = arrays()
    seen = jax.random.normal(jax.random.key(3), (2, 6, 10, 7))

    def gradients(enlarge):
        return jax.grad(lambda x, kernel: jnp.vdot(enlarge(x, kernel, 2), seen), (0, 1))(x, kernel)

    for found, expected in zip(gradients(form), gradients(by_dilation), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("side", "even"), [(4, True), (3, False)])
def test_a_side_that_is_a_multiple_of_the_stride_leaves_no_checkerboard(side, even):
    ones = jnp.ones((1, 6, 6, 1))
    y = np.asarray(transposed_convolution(ones, jnp.ones((side, side, 1, 1))))[0, 2:-2, 2:-2, 0]
    assert (y.max() == y.min()) == even
    assert set(np.unique(y)) == ({4.0} if even else {1.0, 2.0, 4.0})


def test_the_module_has_no_bias_and_enlarges_by_its_stride():
    module = TransposedConvolution(5)
    y, variables = module.init_with_output(jax.random.key(0), jnp.ones((1, 7, 7, 3)))
    assert y.shape == (1, 14, 14, 5)
    assert jax.tree.map(jnp.shape, variables) == {"params": {"kernel": (4, 4, 3, 5)}}


def test_a_filter_smaller_than_the_stride_is_refused():
    with pytest.raises(ValueError, match="2x2; it must be square and at least as large"):
        transposed_convolution(jnp.ones((1, 2, 2, 1)), jnp.ones((2, 2, 1, 1)), 3)


@pytest.mark.slow
def test_a_strided_convolution_and_its_first_and_second_gradients_are_those_of_xla():
    x, kernel = arrays(height=4, width=6, channels=7, features=8)

    def plain(x, kernel):
        return lax.conv_general_dilated(
            x, kernel, (2, 2), ((1, 1), (1, 1)), dimension_numbers=("NHWC", "HWIO", "NHWC")
        )

    def penalty(convolve):
        """Returns a function of the squared slope, as the penalties of GANs are."""

        def value(x, kernel):
            slope = jax.grad(lambda x: jnp.tanh(0.1 * convolve(x, kernel)).sum())(x)
            return jnp.square(slope).sum() + convolve(x, kernel).sum()

        return value

    for found, expected in zip(
        jax.grad(penalty(strided_convolution), (0, 1))(x, kernel),
        jax.grad(penalty(plain), (0, 1))(x, kernel),
        strict=True,
    ):
        np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-3)


def test_maps_that_cannot_be_divided_by_the_stride_are_refused():
    with pytest.raises(ValueError, match="maps are 5x4; both sides must be multiples of 2"):
        strided_convolution(jnp.ones((1, 5, 4, 1)), jnp.ones((4, 4, 1, 1)))
    with pytest.raises(ValueError, match="side 3 and a stride of 2 differ by an odd"):
        strided_convolution(jnp.ones((1, 4, 4, 1)), jnp.ones((3, 3, 1, 1)))
