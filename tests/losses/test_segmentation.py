import jax.numpy as jnp
import numpy as np
import pytest

from lecture_models.losses.segmentation import dice_loss, pixel_cross_entropy

MASKS = jnp.zeros((2, 4, 4)).at[:, :2].set(1.0)


def test_an_undecided_mask_loses_log_two_for_each_pixel():
    losses = pixel_cross_entropy(jnp.zeros((2, 4, 4)), MASKS)
    np.testing.assert_allclose(losses, np.log(2.0), rtol=1e-6)


def test_dice_at_known_points():
    sure = 100.0 * (2.0 * MASKS - 1.0)
    np.testing.assert_allclose(dice_loss(sure, MASKS), 0.0, atol=1e-6)
    np.testing.assert_allclose(dice_loss(-sure, MASKS), 1.0 - 1.0 / 17.0, rtol=1e-6)
    np.testing.assert_allclose(dice_loss(-100.0 + 0.0 * MASKS, 0.0 * MASKS), 0.0, atol=1e-6)
    # Half of 16 pixels: 2 * 4 + 1 over 8 + 8 + 1.
    np.testing.assert_allclose(dice_loss(0.0 * MASKS, MASKS), 1.0 - 9.0 / 17.0, rtol=1e-6)


def test_other_shapes_are_refused():
    with pytest.raises(ValueError, match="they must be equal"):
        dice_loss(MASKS[:, :2], MASKS)
