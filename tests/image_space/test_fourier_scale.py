"""Checks the scale of the Fourier parameterization."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lecture_models.image_space.parameterizations import _COLORS, fourier


@pytest.mark.parametrize("decay", [0.0, 1.0])
def test_standard_normal_params_give_planes_of_deviation_one(decay):
    """The planes are what the colors are mixed from, before the sigmoid."""
    params = jax.random.normal(jax.random.key(0), (4, 32, 17, 3, 2))
    images = fourier(32, 32, decay).decode(params)
    planes = 2.0 * np.arctanh(np.asarray(images, np.float64)) @ np.linalg.inv(_COLORS.T)
    assert planes.std() == pytest.approx(1.0, abs=0.15)
    assert np.abs(planes.mean()) < 0.2
    assert jnp.isfinite(images).all()
