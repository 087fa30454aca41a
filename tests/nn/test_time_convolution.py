import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lecture_models.nn.time_convolution import TimeConvolution, thinned


@pytest.mark.parametrize(
    ("time", "width", "stride"), [(9, 3, 1), (10, 5, 2), (7, 8, 2), (64, 16, 4)]
)
def test_it_equals_the_convolution_of_flax(time, width, stride):
    inputs = jax.random.normal(jax.random.key(0), (2, time, 3))
    ours = TimeConvolution(4, width, stride)
    variables = ours.init(jax.random.key(1), inputs)
    filters = variables["params"]["filters"]
    kernel = filters["kernel"].reshape(width, 3, 4)
    theirs = nn.Conv(4, (width,), strides=(stride,))
    expected = theirs.apply({"params": {"kernel": kernel, "bias": filters["bias"]}}, inputs)
    np.testing.assert_allclose(ours.apply(variables, inputs), expected, atol=1e-5)


def test_a_mask_is_thinned_to_the_windows():
    mask = jnp.array([[True, True, True, False, False]])
    assert thinned(mask, 2).tolist() == [[True, True, False]]
