import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn

from lecture_models.nn.pooling import max_pool
from lecture_models.weights.error import WeightsError
from tests.tasks.style.styling import OneNetwork, built, configured, draw_pictures, run

# One tile is not enough for any picture here.
SIZES = {"size": 32, "init": "second.png", "variation_weight": 1.0, "tile": 16}


class Seeing(nn.Module):
    """Convolutions whose units see beyond a tile, with padding, so that a seam would show."""

    num_classes: int = 0
    pool: object = max_pool

    @nn.compact
    def __call__(self, images, training=False):
        first = nn.relu(nn.Conv(6, (5, 5), name="one")(images))
        second = nn.relu(nn.Conv(8, (3, 3), name="two")(self.pool(first, 2, 2)))
        return jnp.zeros((len(images), 0)), {"relu1": first, "relu2": second}


def seeing():
    weights = OneNetwork()
    model = Seeing()
    shapes = jax.eval_shape(model.init, jax.random.key(0), jnp.zeros((1, 16, 16, 3)))
    random = np.random.default_rng(0)
    variables = jax.tree.map(
        lambda leaf: random.normal(0.0, 0.2, leaf.shape).astype(np.float32), shapes
    )
    weights.network = weights.network._replace(model=model, variables=variables)
    return weights


@pytest.fixture
def pictures(tmp_path):
    return draw_pictures(tmp_path)


def gradient(config):
    """The loss and its gradient at an image that is not the content, and the terms."""
    experiment = built(config, seeing())
    state, batch = experiment.init(jax.random.key(0)), next(experiment.batches(0))
    state, metrics = jax.jit(experiment.phases[0].step)(state, batch, jax.random.key(0))
    # Before its first accepted point, L-BFGS has no direction: the step is along the gradient.
    return metrics, state.image.optimizer.gradient


@pytest.mark.slow
@pytest.mark.parametrize(
    "changes",
    [
        {"balance_layers": True},
        {"content_mask": ("half.png",), "style_mask": ("other_half.png",), "keep_colors": True},
        {"style": ("style.png", "second.png")},
    ],
)
def test_tiles_give_the_loss_and_the_gradient_of_the_whole(pictures, changes):
    config = SIZES | changes
    found, slope = gradient(configured(pictures, **config))
    expected, whole_slope = gradient(configured(pictures, **(config | {"tile": 0})))
    assert found.keys() == expected.keys()
    for name in found:
        np.testing.assert_allclose(found[name], expected[name], rtol=1e-3)
    assert found["content"] > 1.0
    largest = float(jnp.abs(whole_slope).max())
    np.testing.assert_allclose(slope, whole_slope, atol=1e-4 * largest)


def test_a_tile_smaller_than_a_stride_is_refused(pictures):
    with pytest.raises(WeightsError, match="--tile is 1; it must be at least 2, the stride of"):
        run(configured(pictures, **(SIZES | {"tile": 1})), seeing())


def test_adam_lowers_the_loss_at_every_step_of_a_small_rate(pictures):
    _, found = run(configured(pictures, adam=True, learning_rate=0.01))
    losses = [float(metrics["loss"]) for metrics in found]
    assert losses == sorted(losses, reverse=True)
    assert losses[-1] < 0.95 * losses[0]
