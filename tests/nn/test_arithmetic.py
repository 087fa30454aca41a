import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import signal

from lecture_models.nn.arithmetic import (
    convolve,
    correlate,
    output_size,
    same_padding,
    stacked_filter,
)


@pytest.mark.parametrize(
    ("size", "filter", "stride", "padding", "expected"),
    [(5, 3, 2, 1, 3), (7, 3, 1, 0, 5), (7, 3, 2, 0, 3), (7, 3, 1, 1, 7), (32, 5, 1, 2, 32)],
)
def test_the_lectures_examples(size, filter, stride, padding, expected):
    assert output_size(size, filter, stride, padding) == expected


def test_seven_with_a_filter_of_three_at_stride_three_is_refused():
    with pytest.raises(ValueError, match=r"\(7 - 3 \+ 0\) / 3 \+ 1 = 2\.33"):
        output_size(7, 3, 3)


def test_alexnet_takes_227_pixels_not_224():
    assert output_size(227, 11, 4) == 55
    with pytest.raises(ValueError, match=r"= 54\.25"):
        output_size(224, 11, 4)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((3, 5), "the filter is larger than the padded input"),
        ((0, 1), "size is 0; it must be at least 1"),
        ((5, 0), "filter is 0"),
        ((5, 3, 0), "stride is 0"),
        ((5, 3, 1, -1), "padding is -1; it must be at least 0"),
    ],
)
def test_impossible_convolutions_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        output_size(*arguments)


@given(st.integers(1, 40), st.integers(1, 9), st.integers(1, 4), st.integers(0, 4))
def test_sizes_are_those_of_the_compiled_convolution(size, filter, stride, padding):
    try:
        expected = output_size(size, filter, stride, padding)
    except ValueError:
        return
    shape = jax.eval_shape(
        lambda x, w: jax.lax.conv_general_dilated(x, w, (stride,), [(padding, padding)]),
        jax.ShapeDtypeStruct((1, 1, size), jnp.float32),
        jax.ShapeDtypeStruct((1, 1, filter), jnp.float32),
    ).shape
    assert shape[-1] == expected


def test_same_padding_keeps_the_size():
    assert [same_padding(filter) for filter in (3, 5, 7)] == [1, 2, 3]
    assert all(output_size(9, f, 1, same_padding(f)) == 9 for f in (1, 3, 5, 7, 9))
    with pytest.raises(ValueError, match="filter is 4; it must be odd"):
        same_padding(4)


def test_two_stacked_3x3_convolutions_see_5x5_and_three_see_7x7():
    assert stacked_filter(3, 3) == 5
    assert stacked_filter(3, 3, 3) == 7


@pytest.fixture(scope="module")
def planes():
    image_key, kernel_key = jax.random.split(jax.random.key(0))
    return jax.random.normal(image_key, (6, 7)), jax.random.normal(kernel_key, (3, 2))


def test_both_agree_with_scipy(planes):
    image, kernel = planes
    expected = signal.convolve2d(image, kernel, mode="valid")
    np.testing.assert_allclose(convolve(image, kernel), expected, atol=1e-5)
    expected = signal.correlate2d(image, kernel, mode="valid")
    np.testing.assert_allclose(correlate(image, kernel), expected, atol=1e-5)


def test_convolution_is_correlation_with_the_flipped_kernel_and_differs_from_it(planes):
    image, kernel = planes
    assert jnp.array_equal(convolve(image, kernel), correlate(image, kernel[::-1, ::-1]))
    assert jnp.abs(convolve(image, kernel) - correlate(image, kernel)).max() > 0.1


def test_convolution_of_an_impulse_is_the_kernel_and_correlation_rotates_it(planes):
    _, kernel = planes
    impulse = jnp.zeros((5, 3)).at[2, 1].set(1.0)
    np.testing.assert_array_equal(convolve(impulse, kernel), kernel)
    np.testing.assert_array_equal(correlate(impulse, kernel), kernel[::-1, ::-1])
