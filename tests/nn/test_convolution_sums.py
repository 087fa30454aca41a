import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.linalg
import scipy.signal

from lecture_models.nn import convolution_sums as sums
from lecture_models.nn.arithmetic import convolve, correlate

GENERATOR = np.random.default_rng(0)
SIGNAL, KERNEL = GENERATOR.normal(size=11).astype("f"), GENERATOR.normal(size=4).astype("f")
IMAGE, FILTER = GENERATOR.normal(size=(7, 9)).astype("f"), GENERATOR.normal(size=(3, 4)).astype("f")
every_mode = pytest.mark.parametrize("mode", sums.MODES)


def assert_close(found, expected):
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=2e-6)


def test_a_convolution_that_can_be_checked_on_paper():
    found = sums.convolve_sum(jnp.array([1.0, 2.0, 3.0]), jnp.array([0.0, 1.0, 0.5]))
    assert found.tolist() == [0.0, 1.0, 2.5, 4.0, 1.5]


@every_mode
def test_one_dimension_is_that_of_numpy_and_scipy(mode):
    found = sums.convolve_sum(jnp.asarray(SIGNAL), jnp.asarray(KERNEL), mode)
    assert_close(found, scipy.signal.convolve(SIGNAL, KERNEL, mode))
    assert_close(found, np.convolve(SIGNAL, KERNEL, mode))


@every_mode
def test_two_dimensions_are_those_of_scipy(mode):
    found = sums.convolve_sum(jnp.asarray(IMAGE), jnp.asarray(FILTER), mode)
    assert_close(found, scipy.signal.convolve2d(IMAGE, FILTER, mode))
    flipped = sums.correlate_sum(jnp.asarray(IMAGE), jnp.asarray(FILTER), mode)
    assert_close(flipped, scipy.signal.convolve2d(IMAGE, FILTER[::-1, ::-1], mode))


def test_valid_positions_are_those_of_a_layer():
    image, kernel = jnp.asarray(IMAGE), jnp.asarray(FILTER)
    assert_close(sums.convolve_sum(image, kernel, "valid"), convolve(image, kernel))
    assert_close(sums.correlate_sum(image, kernel, "valid"), correlate(image, kernel))


@every_mode
def test_the_fourier_transform_gives_the_same(mode):
    image, kernel = jnp.asarray(IMAGE), jnp.asarray(FILTER)
    assert_close(sums.convolve_fourier(image, kernel, mode), sums.convolve_sum(image, kernel, mode))


def test_a_convolution_commutes_and_a_correlation_does_not():
    image, kernel = jnp.asarray(IMAGE), jnp.asarray(FILTER)
    assert_close(sums.convolve_sum(image, kernel), sums.convolve_sum(kernel, image))
    swapped = sums.correlate_sum(kernel, image)
    assert_close(sums.correlate_sum(image, kernel), swapped[::-1, ::-1])
    assert float(jnp.abs(sums.correlate_sum(image, kernel) - swapped).max()) > 0.1


def test_the_matrix_of_one_dimension_is_that_of_scipy():
    found = sums.toeplitz_matrix(jnp.asarray(KERNEL), SIGNAL.shape)
    column = np.pad(KERNEL, (0, len(SIGNAL) - 1))
    assert_close(found, scipy.linalg.toeplitz(column, np.r_[KERNEL[0], np.zeros(len(SIGNAL) - 1)]))


@pytest.mark.parametrize(("signal", "kernel"), [(SIGNAL, KERNEL), (IMAGE, FILTER)])
def test_the_matrix_times_the_signal_is_the_convolution(signal, kernel):
    matrix = sums.toeplitz_matrix(jnp.asarray(kernel), signal.shape)
    full = sums.convolve_sum(jnp.asarray(signal), jnp.asarray(kernel))
    assert_close((matrix @ signal.reshape(-1)).reshape(full.shape), full)


@pytest.mark.parametrize(("signal", "kernel"), [(SIGNAL, KERNEL), (IMAGE, FILTER)])
def test_shared_weights_and_inputs_have_the_gradients_of_autodiff(signal, kernel):
    x, w = jnp.asarray(signal), jnp.asarray(kernel)

    def loss(w, x):
        return jnp.sum(jnp.sin(sums.correlate_sum(x, w, "valid")))

    by_output = jnp.cos(sums.correlate_sum(x, w, "valid"))
    by_weights, by_input = jax.grad(loss, (0, 1))(w, x)
    assert_close(sums.shared_weight_gradient(x, by_output), by_weights)
    assert_close(sums.input_gradient(w, by_output), by_input)


@pytest.mark.parametrize("stride", [1, 2])
def test_a_layer_as_a_matrix_product_is_the_layer(stride):
    images = jnp.asarray(GENERATOR.normal(size=(2, 7, 7, 3)).astype("f"))
    kernels = jnp.asarray(GENERATOR.normal(size=(3, 3, 3, 5)).astype("f"))

    def layer(images, kernels):
        names = ("NHWC", "HWIO", "NHWC")
        return jax.lax.conv_general_dilated(
            images, kernels, (stride, stride), "VALID", dimension_numbers=names
        )

    outputs, back = jax.vjp(layer, images, kernels)
    assert_close(sums.layer_by_im2col(images, kernels, stride), outputs)
    by_output = jnp.cos(outputs)
    found = sums.layer_gradient_by_im2col(images, by_output, 3, stride)
    np.testing.assert_allclose(found, back(by_output)[1], rtol=1e-4, atol=1e-4)


def test_a_blur_is_separable_and_a_diagonal_is_not():
    blur = sums.separate(jnp.outer(jnp.array([1.0, 2.0, 1.0]), jnp.array([1.0, 3.0])))
    assert float(blur.share) == pytest.approx(1.0)
    assert_close(jnp.outer(blur.column, blur.row), [[1, 3], [2, 6], [1, 3]])
    assert float(sums.separate(jnp.eye(3)).share) == pytest.approx(1.0 / 3.0)


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="does not fit"):
        sums.convolve_sum(jnp.ones(3), jnp.ones(4), "valid")
    with pytest.raises(ValueError, match="mode is 'circular'; allowed: full, same, valid"):
        sums.convolve_sum(jnp.ones(3), jnp.ones(4), "circular")
    with pytest.raises(ValueError, match="equally many axes"):
        sums.convolve_fourier(jnp.ones(3), jnp.ones((4, 4)))
    with pytest.raises(ValueError, match="must be a whole number"):
        sums.im2col(jnp.ones((1, 7, 7, 1)), 3, 3)
