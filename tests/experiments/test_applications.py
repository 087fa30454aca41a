import jax.numpy as jnp
import numpy as np
import pytest

from experiments import applications as experiment
from lecture_models.data.batches import ArrayBatches


def half(name, value):
    arrays = {
        "images": np.full((6, 2, 2, 3), value, np.uint8),
        "features": np.zeros((6, 1), np.float16),
        name: np.arange(6),
    }
    return ArrayBatches(arrays, 2, seed=3)


def test_each_batch_has_masks_first_and_then_depths():
    batches = experiment.HalfAndHalf(half("masks", 1), half("depths", 2))
    first, second = (next(batches(5)) for _ in range(2))
    assert first["images"][:, 0, 0, 0].tolist() == [1, 1, 2, 2]
    assert len(first["masks"]) == len(first["depths"]) == 2
    np.testing.assert_array_equal(first["masks"], second["masks"])


def test_each_half_has_its_own_loss():
    maps = jnp.zeros((4, 2, 2, 2)).at[2:, ..., 1].set(jnp.log(2.0))
    batch = {"masks": jnp.ones((2, 2, 2), jnp.uint8), "depths": jnp.full((2, 2, 2), 3.0)}
    losses = experiment.make_losses(np.full((1, 2, 2), np.log(1.5), np.float32))(maps, batch)
    np.testing.assert_allclose(losses["depth"], 0.0, atol=1e-6)
    np.testing.assert_allclose(losses["nats"], np.log(2.0), rtol=1e-6)


def test_a_network_without_classes_is_refused():
    with pytest.raises(ValueError, match="--scratch has no classes"):
        experiment.Config(scratch=True)
